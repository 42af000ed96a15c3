//! Several handles on one place, used in turn.

use crashpoint::CheckpointRow;

use crate::case::{Case, Session};
use crate::contract::capability::Claim;
use crate::finding::expect::{Checked, Failure, broken, marked};
use crate::laws::lst::{WHOLE, page, same_ids};

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
            show(case, &handles, &rows, &what).await?;
        }
        handles[1].clear("run").await?;
        show(case, &handles, &[], "a clear through handle 1 returned").await?;
    }
    Ok(())
}

/// Each handle shows the rows, and lists the run if it has any.
async fn show(case: &Case, handles: &[Session], rows: &[CheckpointRow], what: &str) -> Checked {
    for (number, handle) in handles.iter().enumerate() {
        let when = format!("through handle {number}, after {what}");
        handle.holds("run", rows, &when).await?;
        if case.subject.claims.contains(&Claim::Listing) {
            let expected = if rows.is_empty() {
                vec![]
            } else {
                vec!["run".to_owned()]
            };
            let listed = page(handle, None, WHOLE).await?;
            same_ids(&format!("a listing {when}"), &expected, &listed)?;
        }
    }
    Ok(())
}
