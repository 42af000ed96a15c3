//! Ids that look alike to a backend: what every law of isolation does with its list.

use crashpoint_engine::CheckpointRow;

use crate::case::Session;
use crate::expect::{Checked, broken, marked, quote, same_rows};

/// Whether a store may answer an error to an id that it can't keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Forbidden,
    /// An error is as good as keeping the id; keeping half of it is not.
    Allowed,
}

/// The rows of the id at `index`, unlike those of any other.
fn own_rows(index: usize) -> Vec<CheckpointRow> {
    let mark = format!("of id {index}");
    // 12 and 2 collide where an id that ends in 1 and a sequence are glued together.
    [0, 2, 12].map(|sequence| marked(sequence, &mark)).to_vec()
}

/// Fails unless each id has rows of its own, through appends, loads and clears of the others.
pub(crate) async fn stay_apart(store: &Session, ids: &[&str], refusal: Refusal) -> Checked {
    let mut expected = Vec::with_capacity(ids.len());
    for (index, &id) in ids.iter().enumerate() {
        expected.push(write(store, id, own_rows(index), refusal).await?);
    }
    let all = (ids, refusal);
    hold(store, all, &expected, "beside its lookalikes").await?;
    for (index, &id) in ids.iter().enumerate() {
        if expected[index].is_empty() {
            continue;
        }
        store.clear(id).await?;
        expected[index] = Vec::new();
        let when = format!("after a clear of run {}", quote(id));
        hold(store, all, &expected, &when).await?;
        // Back again, so that the next clear has all of the others to spare.
        expected[index] = write(store, id, own_rows(index), refusal).await?;
    }
    Ok(())
}

/// Writes the rows of an id and answers what it has to hold now: nothing where it was refused.
async fn write(
    store: &Session,
    id: &str,
    rows: Vec<CheckpointRow>,
    refusal: Refusal,
) -> Result<Vec<CheckpointRow>, crate::expect::Failure> {
    for (written, row) in rows.iter().enumerate() {
        let appended = store.try_append(id, row.clone()).await;
        match (appended, refusal) {
            (Ok(()), _) => {}
            (Err(_), Refusal::Allowed) if written == 0 => return Ok(Vec::new()),
            (Err(error), _) => {
                let (id, sequence) = (quote(id), row.sequence);
                return Err(broken(format!(
                    "append of sequence {sequence} to run {id}: expected Ok, came \"{error}\""
                )));
            }
        }
    }
    Ok(rows)
}

async fn hold(
    store: &Session,
    (ids, refusal): (&[&str], Refusal),
    expected: &[Vec<CheckpointRow>],
    when: &str,
) -> Checked {
    for (&id, expected) in ids.iter().zip(expected) {
        let came = match (store.try_load(id).await, refusal) {
            (Ok(came), _) => came,
            (Err(_), Refusal::Allowed) if expected.is_empty() => continue,
            (Err(error), _) => {
                let id = quote(id);
                return Err(broken(format!(
                    "load of run {id} {when}: expected Ok, came \"{error}\""
                )));
            }
        };
        same_rows(&format!("run {} {when}", quote(id)), expected, &came)?;
    }
    Ok(())
}
