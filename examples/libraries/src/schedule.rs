//! A workflow that begins by the clock, each time once.
//!
//! The id of a run is its instant, so it does not matter who begins it, how often, or how late: the second process that
//! tries resumes the first one's run. After an outage the runs that are due are begun in order.

use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use crashpoint::{BuildError, Ctx, Engine, Error, Outcome, State, TaskError, Workflow};
use croner::Cron;
use croner::errors::CronError;

/// A report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
pub enum Report {
    /// Its figures are summed up.
    Write,
    /// It is written.
    Written,
}

/// The workflow, whose input is its instant.
///
/// # Errors
///
/// None that a valid definition has.
pub fn workflow(write: fn(&Ctx)) -> Result<Workflow<Report>, BuildError> {
    let write = move |ctx: Ctx| async move {
        write(&ctx);
        Ok::<_, TaskError>(Report::Written)
    };
    Workflow::builder("report", 1)
        .task(Report::Write, "write", write)
        .exit(Report::Written)
        .build()
}

/// The instants of a pattern such as `0 6 * * *` after `after`, up to and including `until`.
///
/// # Errors
///
/// If the pattern is not one.
pub fn due(
    pattern: &str,
    after: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<DateTime<Utc>>, CronError> {
    let cron = Cron::from_str(pattern)?;
    let instants = cron.iter_after(after);
    Ok(instants.take_while(|instant| *instant <= until).collect())
}

/// The id of the run at an instant.
pub fn id_at(instant: DateTime<Utc>) -> String {
    format!(
        "report {}",
        instant.to_rfc3339_opts(SecondsFormat::Secs, true)
    )
}

/// Begins the runs of these instants, or resumes them, one after another.
///
/// # Errors
///
/// That of the first run that does not end. Call this again: what has ended stays as it is.
pub async fn begin(
    engine: &Engine,
    workflow: &Workflow<Report>,
    instants: &[DateTime<Utc>],
) -> Result<Vec<Outcome<Report>>, Error> {
    let mut outcomes = Vec::new();
    for instant in instants {
        let id = id_at(*instant);
        let ended = engine.run_or_resume(workflow, &id, Report::Write, &instant.timestamp());
        outcomes.push(ended.await?);
    }
    Ok(outcomes)
}
