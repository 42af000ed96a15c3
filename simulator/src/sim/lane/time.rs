//! How time passes where no task is ready: by the executor's timers, or in the runtimes around the
//! lives.

use std::time::Duration;

use crate::panics::quietly;
use crate::sim::Process;
use crate::sim::run::Simulation;

/// After so long without an event of a life it waits for what never comes. What it has spawned may go
/// round for ever in the meantime.
const WAITS_MAX: Duration = Duration::from_secs(400 * 24 * 60 * 60);

impl Simulation<'_> {
    /// Drops the tasks of the dead, and what surrounded them.
    pub(in crate::sim) fn bury(&mut self) {
        for process in self.processes.iter().filter(|process| process.is_dead()) {
            let mut kill = || self.sim.executor.kill(process.life());
            match self.surroundings.remove(&process.life()) {
                None => kill(),
                Some(surroundings) => {
                    surroundings.kill(&mut kill);
                    // What was spawned is dropped here, and may panic.
                    quietly(|| drop(surroundings));
                }
            }
            process.host().release_store();
        }
    }

    /// Whether the clock around a life is ahead of the others'.
    pub(in crate::sim) fn is_ahead(&self, life: u32) -> bool {
        let surroundings = self.surroundings.get(&life);
        surroundings.is_some_and(|it| it.now() > self.sim.executor.now())
    }

    /// Lets time pass until something can happen; false where nothing ever will.
    pub(in crate::sim) fn pass_time(&mut self) -> bool {
        let executor = &self.sim.executor;
        if self.surroundings.is_empty() {
            return executor.advance();
        }
        let (now, due) = (executor.now(), executor.next_due());
        let never = now.saturating_add(WAITS_MAX);
        let mut until = due.unwrap_or(never);
        for surroundings in self.surroundings.values() {
            if surroundings.now() > now {
                until = until.min(surroundings.now());
            }
        }
        let lives: Vec<u32> = self.surroundings.keys().copied().collect();
        for life in lives {
            let surroundings = &self.surroundings[&life];
            if surroundings.now() > now || !self.is_under_way(life) {
                continue;
            }
            let spawned = surroundings.has_spawned();
            executor.bell().silence();
            quietly(|| surroundings.run(executor, until));
            until = until.min(surroundings.now()).max(now);
            if let Some(process) = self.processes.iter().find(|it| it.life() == life) {
                process.ran_by_itself(spawned);
                self.refuse(process);
            }
        }
        let happens = until < never || !executor.ready().is_empty();
        if happens {
            executor.leap(until.saturating_sub(now));
        }
        happens
    }

    fn is_under_way(&self, life: u32) -> bool {
        let mut processes = self.processes.iter();
        let process = processes.find(|process| process.life() == life);
        process.is_some_and(|process| !process.is_dead())
    }

    /// Ends a life that has asked for what a simulation does not have.
    pub(in crate::sim) fn refuse(&self, process: &Process) {
        let surroundings = self.surroundings.get(&process.life());
        if let Some(why) = surroundings.and_then(|it| it.refusal())
            && !process.is_dead()
        {
            self.bug(process, why.to_owned());
        }
    }
}
