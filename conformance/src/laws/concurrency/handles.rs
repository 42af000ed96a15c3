//! Several handles on one place, used in turn.

use crate::case::{Case, Session};
use crate::finding::expect::{Checked, Failure, broken, marked};

const HANDLES: usize = 3;
const ROWS: u64 = 9;

pub(crate) async fn con_09_a_handle_shows_what_another_has_done(case: &Case) -> Checked {
    let mut handles = Vec::new();
    for _ in 0..HANDLES {
        let opened = case.open().await.map_err(|failure| match failure {
            Failure::Harness(message) if !handles.is_empty() => broken(format!(
                "another handle on the place, beside one that is open: {message}"
            )),
            other => other,
        });
        handles.push(opened?);
    }
    for life in ["first", "second"] {
        let mut rows = Vec::new();
        for sequence in 0..ROWS {
            let writer = sequence as usize % HANDLES;
            rows.push(marked(sequence, life));
            handles[writer]
                .append("run", &marked(sequence, life))
                .await?;
            let what = format!("an append of sequence {sequence} through handle {writer} returned");
            show(&handles, &rows, &what).await?;
        }
        handles[1].clear("run").await?;
        show(&handles, &[], "a clear through handle 1 returned").await?;
    }
    Ok(())
}

async fn show(handles: &[Session], rows: &[crashpoint::CheckpointRow], what: &str) -> Checked {
    for (number, handle) in handles.iter().enumerate() {
        let when = format!("through handle {number}, after {what}");
        handle.holds("run", rows, &when).await?;
    }
    Ok(())
}
