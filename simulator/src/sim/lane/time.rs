//! How time passes when no task is ready: by the executor's timers, or in the runtimes around the
//! lives.

use std::time::Duration;

use crate::executor::{quietly, quietly_noting_panics};
use crate::history::{Stopped, What};
use crate::sim::lane::{Reach, Stop};
use crate::sim::run::Simulation;
use crate::sim::{Panics, Process};

/// A life without an event for this long waits for something that never comes.
const WAITS_MAX: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// The wake-ups of spawned tasks in the meantime: a heartbeat each second for more than a day. More
/// than that is a livelock.
const WAKES_MAX: u32 = 100_000;

/// The polls of spawned tasks without any time passing. It equals the limit of a whole life.
const POLLS_MAX: u32 = 20_000;

/// How long spawned tasks run on after the last life has ended ...
const LEFT_BEHIND_MAX: Duration = Duration::from_secs(60 * 60);

/// ... and how often they wake up at most. Then their process ends.
const LEFT_BEHIND_WAKES_MAX: u32 = 1_000;

impl Simulation<'_> {
    /// Drops the tasks of dead lives, and their surroundings.
    pub(in crate::sim) fn remove_dead(&mut self) {
        for process in self.processes.iter().filter(|process| process.is_dead()) {
            let mut kill = || self.sim.executor.kill(process.life());
            match self.surroundings.remove(&process.life()) {
                None => kill(),
                Some(surroundings) => {
                    surroundings.kill(&mut kill);
                    // Spawned tasks are dropped here, and may panic.
                    quietly(|| drop(surroundings));
                }
            }
            process.host().release_store();
        }
    }

    /// Whether the clock around a life is ahead of the other clocks.
    pub(in crate::sim) fn is_ahead(&self, life: u32) -> bool {
        let surroundings = self.surroundings.get(&life);
        surroundings.is_some_and(|it| it.now() > self.sim.executor.now())
    }

    /// Lets time pass until something can happen. Returns false if nothing ever will.
    pub(in crate::sim) fn pass_time(&mut self) -> bool {
        if self.surroundings.is_empty() {
            return self.sim.executor.advance();
        }
        let Some((never, wakes)) = self.patience() else {
            return false;
        };
        let executor = &self.sim.executor;
        let now = executor.now();
        let mut until = executor.next_due().unwrap_or(never);
        let ahead = self.surroundings.values().map(|it| it.now());
        until = ahead.filter(|it| *it > now).fold(until, Duration::min);
        let mut stopped = false;
        for (&life, surroundings) in &self.surroundings {
            let Some(process) = self.under_way(life).filter(|_| !self.is_ahead(life)) else {
                continue;
            };
            let spawned = surroundings.has_spawned();
            let reach = Reach {
                until,
                wakes,
                polls: POLLS_MAX,
                with_spawned: self.ended.is_some(),
            };
            executor.forget_notification();
            let (stop, panic) = quietly_noting_panics(|| surroundings.run(executor, reach));
            until = until.min(surroundings.now()).max(now);
            if let Some(message) = panic {
                self.record_spawned_panic(process, &message);
            }
            process.ran_by_itself(spawned);
            match stop {
                Stop::Spinning => process.stop(Stopped::Spinning),
                Stop::Woken if self.ended.is_none() => process.stop(Stopped::Endless),
                Stop::Woken | Stop::Reached => {}
            }
            stopped |= stop != Stop::Reached;
        }
        let over = self.ended.is_some() && stopped;
        let happens = until < never || !executor.ready().is_empty();
        if happens || self.ended.is_some() {
            executor.leap(until.saturating_sub(now));
        }
        happens && !over
    }

    /// Until when the simulation waits for an event, and how often spawned tasks may wake up in the
    /// meantime. `None` if nothing is left that could run.
    fn patience(&mut self) -> Option<(Duration, u32)> {
        let executor = &self.sim.executor;
        let now = executor.now();
        if executor.has_tasks() {
            self.ended = None;
            return Some((now.saturating_add(WAITS_MAX), WAKES_MAX));
        }
        let mut lives = self.surroundings.values();
        let ended = *self.ended.get_or_insert(now);
        let until = ended.saturating_add(LEFT_BEHIND_MAX);
        let goes_on = now < until && lives.any(|it| it.has_spawned());
        goes_on.then_some((until, LEFT_BEHIND_WAKES_MAX))
    }

    fn under_way(&self, life: u32) -> Option<&Process> {
        let mut processes = self.processes.iter();
        processes.find(|process| process.life() == life && !process.is_dead())
    }

    /// Records a panic of a spawned task, for which nobody may be waiting.
    fn record_spawned_panic(&self, process: &Process, message: &str) {
        if self.sim.panics == Panics::Fail {
            process.record(What::Panicked(format!("{message} (in a spawned task)")));
        }
    }
}
