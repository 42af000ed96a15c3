//! What a law is doing, for the watchdog and for the messages of panics.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::finding::expect::quote;

/// Who is at fault if a step never ends or panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blame {
    Store,
    Harness,
}

/// The last step of a law, and the number of steps.
#[derive(Debug)]
pub(crate) struct Progress {
    steps: AtomicU64,
    current: Mutex<Current>,
}

/// The last step. It is formatted only on request, because a law has thousands of steps.
#[derive(Debug)]
struct Current {
    blame: Blame,
    what: String,
    run: Option<String>,
    sequence: Option<u64>,
    /// How many times as long as other steps it may take.
    patience: u32,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            steps: AtomicU64::new(0),
            current: Mutex::new(Current {
                blame: Blame::Harness,
                what: "before its first step".to_owned(),
                run: None,
                sequence: None,
                patience: 1,
            }),
        }
    }

    /// Begins a step with a description.
    pub(crate) fn step(&self, blame: Blame, what: &str) {
        let mut current = self.lock();
        current.blame = blame;
        what.clone_into(&mut current.what);
        current.run = None;
        current.sequence = None;
        current.patience = 1;
        drop(current);
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    /// Begins an operation of the store.
    pub(crate) fn operation(&self, what: &str, run: &str, sequence: Option<u64>) {
        self.step(Blame::Store, what);
        let mut current = self.lock();
        current.run = Some(run.to_owned());
        current.sequence = sequence;
    }

    /// Gives the current step `times` the usual time.
    pub(crate) fn be_patient(&self, times: u32) {
        assert!(times > 0, "a step has time");
        self.lock().patience = times;
    }

    /// How many times the usual time the current step has.
    pub(crate) fn patience(&self) -> u32 {
        self.lock().patience
    }

    /// Counts an operation that ended within a step of many operations.
    pub(crate) fn beat(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    pub(crate) fn current(&self) -> (Blame, String) {
        let current = self.lock();
        let mut words = current.what.clone();
        if let Some(sequence) = current.sequence {
            let _ = write!(words, " of sequence {sequence}");
        }
        if let Some(run) = &current.run {
            let _ = write!(words, ", run {}", quote(run));
        }
        (current.blame, words)
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
