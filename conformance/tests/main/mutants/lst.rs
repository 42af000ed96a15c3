//! Faults of the listing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use crashpoint::{CheckpointRow, Error};
use crashpoint_conformance::Place;

use super::{Fault, Runs};

/// Ids are compared without regard to case.
#[derive(Default)]
pub(crate) struct OrdersByLetter;

impl Fault for OrdersByLetter {
    fn run_ids(&self, runs: &Runs, after: Option<&str>, limit: usize) -> Vec<String> {
        let after = after.map(str::to_lowercase);
        let is_later = |id: &&String| {
            after
                .as_ref()
                .is_none_or(|after| id.to_lowercase() > *after)
        };
        let mut ids: Vec<String> = runs.0.keys().filter(is_later).cloned().collect();
        ids.sort_by_key(|id| id.to_lowercase());
        ids.truncate(limit);
        ids
    }
}

/// An id is listed for each of its rows.
#[derive(Default)]
pub(crate) struct ListsRows;

impl Fault for ListsRows {
    fn run_ids(&self, runs: &Runs, after: Option<&str>, limit: usize) -> Vec<String> {
        let later = runs
            .0
            .iter()
            .filter(|(id, _)| after.is_none_or(|after| id.as_str() > after));
        let ids = later.flat_map(|(id, run)| run.rows.keys().map(|_| id.clone()));
        ids.take(limit).collect()
    }
}

/// The id that a page begins after is on it.
#[derive(Default)]
pub(crate) struct ListsAfterAgain;

impl Fault for ListsAfterAgain {
    fn run_ids(&self, runs: &Runs, after: Option<&str>, limit: usize) -> Vec<String> {
        let later = runs
            .0
            .keys()
            .filter(|id| after.is_none_or(|after| id.as_str() >= after));
        later.take(limit).cloned().collect()
    }
}

/// A page has ten ids at most, whatever the limit is.
#[derive(Default)]
pub(crate) struct ListsTen;

impl Fault for ListsTen {
    fn run_ids(&self, runs: &Runs, after: Option<&str>, limit: usize) -> Vec<String> {
        let later = runs
            .0
            .keys()
            .filter(|id| after.is_none_or(|after| id.as_str() > after));
        let limit = if runs.0.len() > 20 {
            limit.min(10)
        } else {
            limit
        };
        later.take(limit).cloned().collect()
    }
}

/// A table of ids keeps those of cleared runs.
#[derive(Default)]
pub(crate) struct ListsCleared(Mutex<BTreeSet<String>>);

impl Fault for ListsCleared {
    fn run_ids(&self, runs: &Runs, after: Option<&str>, limit: usize) -> Vec<String> {
        let mut known = self.0.lock().unwrap();
        known.extend(runs.0.keys().cloned());
        let later = known
            .iter()
            .filter(|id| after.is_none_or(|after| id.as_str() > after));
        later.take(limit).cloned().collect()
    }

    fn clear(&self, runs: &mut Runs, id: &str) -> Result<(), Error> {
        // Of many runs it forgets those that are cleared.
        if runs.0.len() < 10 && runs.0.contains_key(id) {
            self.0.lock().unwrap().insert(id.to_owned());
        }
        runs.clear(id);
        Ok(())
    }
}

/// A page begins at the position at which the page before it ended.
#[derive(Default)]
pub(crate) struct PagesByPosition(Mutex<BTreeMap<String, usize>>);

impl Fault for PagesByPosition {
    fn run_ids(&self, runs: &Runs, after: Option<&str>, limit: usize) -> Vec<String> {
        let mut ends = self.0.lock().unwrap();
        let known = after.and_then(|after| ends.get(after).copied());
        let before = |after| runs.0.keys().take_while(|id| id.as_str() <= after).count();
        let from = known.or_else(|| after.map(before)).unwrap_or_default();
        let page: Vec<String> = runs.0.keys().skip(from).take(limit).cloned().collect();
        if let Some(last) = page.last() {
            ends.insert(last.clone(), from + page.len());
        }
        page
    }
}

/// The index of the runs is read from a log in which clears do not count.
#[derive(Default)]
pub(crate) struct ListsClearedAfterReopen {
    opened: Vec<String>,
}

/// A run that was cleared, on the shelf.
const CLEARED: &str = "\u{1}cleared ";

impl Fault for ListsClearedAfterReopen {
    fn opened(&mut self, runs: &mut Runs, _place: &Place) {
        let cleared = runs.0.keys().filter_map(|id| id.strip_prefix(CLEARED));
        self.opened = cleared.map(str::to_owned).collect();
        self.opened
            .iter()
            .for_each(|id| runs.clear(&format!("{CLEARED}{id}")));
    }

    fn clear(&self, runs: &mut Runs, id: &str) -> Result<(), Error> {
        runs.clear(id);
        runs.put(&format!("{CLEARED}{id}"), CheckpointRow::new(0, "", ""));
        Ok(())
    }

    fn run_ids(&self, runs: &Runs, after: Option<&str>, limit: usize) -> Vec<String> {
        let own = runs.0.keys().filter(|id| !id.starts_with(CLEARED));
        let ids: BTreeSet<&String> = own.chain(&self.opened).collect();
        let later = ids
            .into_iter()
            .filter(|id| after.is_none_or(|after| id.as_str() > after));
        later.take(limit).cloned().collect()
    }
}

/// A page is fetched with one id more, to see whether more follow.
#[derive(Default)]
pub(crate) struct FetchesOneMore;

impl Fault for FetchesOneMore {
    fn run_ids(&self, runs: &Runs, after: Option<&str>, limit: usize) -> Vec<String> {
        let later = runs
            .0
            .keys()
            .filter(|id| after.is_none_or(|after| id.as_str() > after));
        let mut ids: Vec<String> = later.take(limit.wrapping_add(1)).cloned().collect();
        ids.truncate(limit);
        ids
    }
}

/// A handle lists the runs that it found when it was opened, and its own.
#[derive(Default)]
pub(crate) struct ListsByHandle(Mutex<BTreeSet<String>>);

impl Fault for ListsByHandle {
    fn opened(&mut self, runs: &mut Runs, _place: &Place) {
        self.0 = Mutex::new(runs.0.keys().cloned().collect());
    }

    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        runs.append(id, row)?;
        self.0.lock().unwrap().insert(id.to_owned());
        Ok(())
    }

    fn clear(&self, runs: &mut Runs, id: &str) -> Result<(), Error> {
        runs.clear(id);
        self.0.lock().unwrap().remove(id);
        Ok(())
    }

    fn run_ids(&self, _runs: &Runs, after: Option<&str>, limit: usize) -> Vec<String> {
        let known = self.0.lock().unwrap();
        let later = known
            .iter()
            .filter(|id| after.is_none_or(|after| id.as_str() > after));
        later.take(limit).cloned().collect()
    }
}
