//! Whose turn it is among the tasks of one life: its own, and those that they spawned or joined.
//!
//! In a lane with spawned tasks a task waits at each instant for its turn. When nothing of the life
//! can go on without a turn, one of the waiting tasks gets it. By default that is the task that had
//! it before; a schedule may choose another. The order of the waiting tasks does not depend on the
//! order in which they came, because an unbiased `select!` polls its branches in any order.

use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use smol_str::SmolStr;

use crate::executor::lock;
use crate::sim::{Activity, Instant, lane};

/// The tasks of a life that wait for their turn.
#[derive(Default)]
pub(crate) struct Turns(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: Vec<Waiting>,
    /// The number of the next task that waits.
    next: u64,
    /// The task that has the turn, until it goes on.
    granted: Option<u64>,
    /// Tasks with this number or a greater one have come since the last turn.
    fresh: u64,
    /// The spawned tasks, in the order in which they first waited.
    spawned: Vec<SmolStr>,
}

struct Waiting {
    number: u64,
    name: Name,
    waker: Waker,
}

/// The names of waiting tasks are in the order in which they have their turn, if no schedule
/// chooses otherwise. Only tasks that do the same have the same name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    task: Task,
    what: Activity,
    when: &'static str,
    detail: [SmolStr; 2],
}

/// A task of a life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Task {
    /// The task in which the engine runs, with everything that is joined in it.
    Own,
    /// The spawned task of this index.
    Spawned(usize),
}

/// A task that waits, as a candidate for the next turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    number: u64,
    pub(crate) task: Task,
    /// The instant at which it waits: the action, and the place.
    pub(crate) position: (Activity, &'static str),
}

impl Turns {
    /// Waits for the turn at an instant.
    pub(crate) fn turn<F>(&self, instant: &Instant<'_, F>) -> Turn<'_> {
        let (what, when) = (instant.what.clone(), instant.when);
        Turn {
            turns: self,
            at: Some((what, when, instant.detail.map(SmolStr::from))),
            number: 0,
        }
    }

    /// The waiting tasks. The first has the turn unless a schedule chooses otherwise: a task that
    /// has come since the last turn, because it had that turn.
    pub(crate) fn candidates(&self) -> Vec<Candidate> {
        let state = lock(&self.0);
        let mut waiting: Vec<&Waiting> = state.waiting.iter().collect();
        waiting.sort_by_key(|it| (it.number < state.fresh, &it.name, it.number));
        let candidate = |it: &Waiting| Candidate {
            number: it.number,
            task: it.name.task,
            position: (it.name.what.clone(), it.name.when),
        };
        waiting.into_iter().map(candidate).collect()
    }

    /// Whether a task of the life itself waits for its turn.
    pub(crate) fn has_own(&self) -> bool {
        let waiting = &lock(&self.0).waiting;
        waiting.iter().any(|it| it.name.task == Task::Own)
    }

    /// Gives a waiting task the turn.
    pub(crate) fn grant(&self, candidate: &Candidate) {
        let mut state = lock(&self.0);
        state.granted = Some(candidate.number);
        state.fresh = state.next;
        let mut waiting = state.waiting.iter();
        let waker = waiting.find(|it| it.number == candidate.number);
        let waker = waker.map(|it| it.waker.clone());
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }
}

impl State {
    fn wait(
        &mut self,
        (what, when, detail): (Activity, &'static str, [SmolStr; 2]),
        waker: Waker,
    ) -> u64 {
        let number = self.next;
        self.next += 1;
        let task = self.current_task();
        let name = Name {
            task,
            what,
            when,
            detail,
        };
        self.waiting.push(Waiting {
            number,
            name,
            waker,
        });
        number
    }

    fn current_task(&mut self) -> Task {
        let Some(id) = lane::spawned_task() else {
            return Task::Own;
        };
        let known = self.spawned.iter().position(|it| *it == id);
        Task::Spawned(known.unwrap_or_else(|| {
            self.spawned.push(id);
            self.spawned.len() - 1
        }))
    }
}

/// Completes when the task has its turn.
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    /// The instant; `None` once it waits.
    at: Option<(Activity, &'static str, [SmolStr; 2])>,
    /// The number of the waiting task.
    number: u64,
}

impl Future for Turn<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = lock(&self.turns.0);
        if let Some(at) = self.at.take() {
            self.number = state.wait(at, cx.waker().clone());
        } else if state.granted == Some(self.number) {
            state.granted = None;
            return Poll::Ready(());
        }
        let number = self.number;
        let mut waiting = state.waiting.iter_mut();
        let this = waiting.find(|it| it.number == number);
        this.into_iter()
            .for_each(|it| it.waker.clone_from(cx.waker()));
        Poll::Pending
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.at.is_some() {
            return;
        }
        let mut state = lock(&self.turns.0);
        if state.granted == Some(self.number) {
            state.granted = None;
        }
        let number = self.number;
        let at = state.waiting.iter().position(|it| it.number == number);
        let removed = at.map(|at| state.waiting.remove(at));
        drop(state);
        // Outside of the lock: a waker may be the last handle of a task.
        drop(removed);
    }
}
