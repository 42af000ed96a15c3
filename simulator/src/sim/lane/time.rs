//! How time passes when no task is ready: by the executor's timers, or in the runtimes around the
//! lives.

use std::cmp::Reverse;
use std::time::Duration;

use crate::executor::{quietly, quietly_noting_panics};
use crate::history::{Stopped, What};
use crate::sim::lane::Settled;
use crate::sim::run::Simulation;
use crate::sim::{Panics, Process};

/// A life without an event for this long waits for something that never comes.
const SILENCE_MAX: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// How often spawned tasks wake up while a life waits, for each time that the life may wait. More
/// than that is a livelock.
const WAKES_PER_WAIT: u32 = 10;

/// The polls of spawned tasks without any time passing. More than that is a livelock.
const POLLS_MAX: u32 = 20_000;

/// How long spawned tasks run on after the last life has ended ...
const LEFT_BEHIND_MAX: Duration = Duration::from_secs(60 * 60);

/// ... and how often they wake up at most. Then their process ends.
const LEFT_BEHIND_WAKES_MAX: u32 = 1_000;

/// How long the simulation waits for an event.
#[derive(Debug, Clone, Copy)]
struct Patience {
    until: Duration,
    /// How often time may pass until then, from one timer to the next.
    wakes: u32,
}

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

    /// Whether the clock around a life is ahead of the other clocks. The life waits for them.
    pub(in crate::sim) fn is_ahead(&self, life: u32) -> bool {
        let surroundings = self.surroundings.get(&life);
        surroundings.is_some_and(|it| it.now() > self.sim.executor.now())
    }

    /// Polls spawned tasks, and lets time pass, until a life can go on. Returns false if none ever
    /// will.
    pub(in crate::sim) fn pass_time(&mut self) -> bool {
        if self.surroundings.is_empty() {
            return self.sim.executor.advance();
        }
        let Some(patience) = self.patience() else {
            return false;
        };
        let lives = self.surroundings.iter();
        let lives: Vec<(u32, bool)> = lives.map(|(life, it)| (*life, it.has_spawned())).collect();
        let goes_on = self.run_spawned(patience);
        for (life, spawned) in lives {
            if let Some(process) = self.under_way(life) {
                process.ran_by_itself(spawned);
            }
        }
        goes_on
    }

    /// Until when the simulation waits for an event. `None` if nothing is left that could run.
    fn patience(&mut self) -> Option<Patience> {
        let executor = &self.sim.executor;
        let now = executor.now();
        if executor.has_tasks() {
            self.ended = None;
            return Some(Patience {
                until: now.saturating_add(SILENCE_MAX),
                wakes: self.workload.waits_max.saturating_mul(WAKES_PER_WAIT),
            });
        }
        let until = *self.ended.get_or_insert(now) + LEFT_BEHIND_MAX;
        let goes_on = now < until && self.has_spawned();
        goes_on.then_some(Patience {
            until,
            wakes: LEFT_BEHIND_WAKES_MAX,
        })
    }

    fn has_spawned(&self) -> bool {
        self.surroundings.values().any(|it| it.has_spawned())
    }

    /// Polls the spawned tasks of every life at the present instant, and then lets time pass to the
    /// next timer, again and again. Each step either goes to a later instant or is the last.
    fn run_spawned(&self, patience: Patience) -> bool {
        for wakes in 0.. {
            let mut idle = true;
            for life in self.surroundings.keys().copied() {
                idle &= self.settle(life) == Settled::Idle;
            }
            if !idle || !self.ready().is_empty() {
                return true;
            }
            let executor = &self.sim.executor;
            let over = self.ended.is_some() && !self.has_spawned();
            if over || executor.now() >= patience.until {
                return false;
            }
            if wakes == patience.wakes {
                self.stop_waiting(wakes);
                return self.ended.is_none();
            }
            let before = executor.now();
            let next = self.next_timer(patience.until);
            assert!(before < next, "time passes from one timer to the next");
            executor.leap(next - before);
        }
        unreachable!("the number of wake-ups is limited")
    }

    /// Polls the spawned tasks of a life at the present instant, until none is ready.
    pub(in crate::sim) fn settle(&self, life: u32) -> Settled {
        let surroundings = self.surroundings.get(&life);
        let process = self.under_way(life).filter(|_| !self.is_ahead(life));
        let (Some(surroundings), Some(process)) = (surroundings, process) else {
            return Settled::Idle;
        };
        loop {
            let settle = || surroundings.settle(&self.sim.executor, POLLS_MAX);
            let (settled, panic) = quietly_noting_panics(settle);
            if let Some(message) = panic {
                self.record_spawned_panic(process, &message);
            }
            if settled == Settled::Spinning {
                process.stop(Stopped::Spinning);
            }
            // Its own tasks that wait for their turn have it when the life is polled.
            if settled != Settled::Idle || process.has_own_turns() || process.grant().is_none() {
                return settled;
            }
        }
    }

    /// The instant of the next timer, at most `until`. The clocks around some lives are there
    /// already, or ahead of it.
    fn next_timer(&self, until: Duration) -> Duration {
        let executor = &self.sim.executor;
        let now = executor.now();
        let ahead = self.surroundings.values().map(|it| it.now());
        let ahead = ahead.filter(|it| *it > now);
        let due = executor.next_due().into_iter();
        let until = ahead.chain(due).fold(until, Duration::min);
        let lives = self.surroundings.iter();
        let in_step =
            lives.filter(|(life, it)| it.now() == now && self.under_way(**life).is_some());
        in_step.fold(until, |until, (_, it)| it.wait(until).min(until))
    }

    fn stop_waiting(&self, wakes: u32) {
        if self.ended.is_none() {
            let lives = self.surroundings.iter();
            let under_way = lives.filter(|(life, _)| self.under_way(**life).is_some());
            // Only a life with spawned tasks wakes up so often without going on.
            let spawned = under_way.max_by_key(|(life, it)| (it.has_spawned(), Reverse(**life)));
            let process = spawned.and_then(|(life, _)| self.under_way(*life));
            if let Some(process) = process {
                process.stop(Stopped::Woken { wakes });
            }
        }
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
