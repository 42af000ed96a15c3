//! Ids that a backend may confuse: the check that the laws of isolation share.

use crashpoint::CheckpointRow;

use crate::case::{Case, Session};
use crate::finding::expect::{Checked, Failure, failed, marked, quote, same_rows};

/// Whether a store may reject an id that it can't keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Forbidden,
    /// An error is as good as keeping the id.
    Allowed,
}

/// Ids, and the sequences of their rows.
#[derive(Clone, Copy)]
pub(crate) struct Lookalikes<'a> {
    pub(crate) ids: &'a [&'a str],
    pub(crate) sequences: &'a [u64],
    pub(crate) refusal: Refusal,
}

impl Lookalikes<'_> {
    /// Fails unless each id keeps its own rows, beside the others and while the others are cleared one by
    /// one: from first to last at one place, from last to first at another.
    pub(crate) async fn stay_apart(self, case: &Case) -> Checked {
        self.survive_clears(&case.open().await?, 0..self.ids.len())
            .await?;
        let place = case.another_place()?;
        let store = case.open_at(&place).await?;
        let checked = self.survive_clears(&store, (0..self.ids.len()).rev()).await;
        drop(store);
        case.leave(&place).await?;
        checked
    }

    async fn survive_clears(self, store: &Session, order: impl Iterator<Item = usize>) -> Checked {
        let mut expected = Vec::with_capacity(self.ids.len());
        for index in 0..self.ids.len() {
            expected.push(self.write(store, index).await?);
        }
        for (id, rows) in self.ids.iter().zip(&expected) {
            self.hold(store, id, rows, || "beside its lookalikes".to_owned())
                .await?;
        }
        for cleared in order {
            if std::mem::take(&mut expected[cleared]).is_empty() {
                continue;
            }
            let by = self.ids[cleared];
            store.clear(by).await?;
            // The laws of clear check that the cleared run is empty.
            for (id, rows) in self
                .ids
                .iter()
                .zip(&expected)
                .filter(|(_, rows)| !rows.is_empty())
            {
                let when = || format!("after a clear of run {}", quote(by));
                self.hold(store, id, rows, when).await?;
            }
        }
        Ok(())
    }

    /// Writes rows that differ from those of other ids. Returns the rows that the id must hold: none if it
    /// was rejected.
    async fn write(self, store: &Session, index: usize) -> Result<Vec<CheckpointRow>, Failure> {
        let id = self.ids[index];
        let mark = format!("of id {index}");
        let mut rows = Vec::with_capacity(self.sequences.len());
        for &sequence in self.sequences {
            let row = marked(sequence, &mark);
            match (store.try_append(id, row.clone()).await, self.refusal) {
                (Ok(()), _) => rows.push(row),
                (Err(_), Refusal::Allowed) if rows.is_empty() => return Ok(rows),
                (Err(error), _) => {
                    let append = format!("append of sequence {sequence} to run {}", quote(id));
                    return Err(failed(&append, &error));
                }
            }
        }
        Ok(rows)
    }

    async fn hold(
        self,
        store: &Session,
        id: &str,
        rows: &[CheckpointRow],
        when: impl Fn() -> String,
    ) -> Checked {
        let got = match (store.try_load(id).await, self.refusal) {
            (Ok(got), _) => got,
            (Err(_), Refusal::Allowed) if rows.is_empty() => return Ok(()),
            (Err(error), _) => {
                let load = format!("load of run {} {}", quote(id), when());
                return Err(failed(&load, &error));
            }
        };
        same_rows(|| format!("run {} {}", quote(id), when()), rows, &got)
    }
}
