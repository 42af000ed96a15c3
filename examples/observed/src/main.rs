//! What an operator sees of a service: the log of its runs by `tracing`, and its metrics by a Prometheus exporter,
//! which this program asks as Prometheus would.
//!
//!     cargo run --manifest-path examples/observed/Cargo.toml

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use crashpoint::{
    Ctx, Engine, MemoryCheckpointStore, MetricsObserver, RetryPolicy, State, TaskError,
    TracingObserver, Workflow,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Parcel {
    Label,
    Send,
    Sent,
}

async fn label(ctx: Ctx) -> Result<Parcel, TaskError> {
    let city: String = ctx.input()?;
    // In the spans of the run, the life, the visit and the attempt.
    tracing::info!(city, "printing a label");
    Ok(Parcel::Send)
}

async fn send(ctx: Ctx) -> Result<Parcel, TaskError> {
    match ctx.attempt() {
        1 => Err(TaskError::retry("the carrier does not answer")),
        _ => Ok(Parcel::Sent),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .without_time()
        .with_max_level(tracing::Level::INFO)
        .init();
    let address = free_address()?;
    PrometheusBuilder::new()
        .with_http_listener(address)
        .set_buckets_for_metric(
            Matcher::Suffix("_seconds".to_owned()),
            &[0.001, 0.01, 0.1, 1.0, 10.0],
        )?
        .install()?;

    let workflow = Workflow::builder("parcel", 1)
        .task(Parcel::Label, "label", label)
        .task(Parcel::Send, "send", send)
        .retry(RetryPolicy::fixed(3, Duration::from_millis(20)))
        .exit(Parcel::Sent)
        .build()?;
    let engine = Engine::new(MemoryCheckpointStore::new())
        .with_observer(TracingObserver)
        .with_observer(MetricsObserver::new());
    for (id, city) in [("parcel-1", "Turin"), ("parcel-2", "Lisbon")] {
        engine.run(&workflow, id, Parcel::Label, city).await?;
    }

    println!("GET http://{address}/metrics");
    let metrics = scraped(address).await?;
    let of_interest =
        |line: &&str| !line.is_empty() && !line.starts_with('#') && !line.contains("_bucket");
    for line in metrics.lines().filter(of_interest) {
        println!("  {line}");
    }
    Ok(())
}

/// An address that nobody listens on. A service of yours has a port in its configuration.
fn free_address() -> Result<SocketAddr, Box<dyn Error>> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// The metrics, as Prometheus gets them.
async fn scraped(address: SocketAddr) -> Result<String, Box<dyn Error>> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (_, body) = answer
        .split_once("\r\n\r\n")
        .ok_or("the answer has no body")?;
    Ok(body.to_owned())
}
