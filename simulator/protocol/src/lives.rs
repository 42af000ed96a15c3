//! The machines of lives by number, and each of their transitions once.
//!
//! A [`Life`](crashpoint::protocol::Life) is pure, so its transition on an answer is computed once
//! and then looked up. Only this makes an exhaustive exploration of the real machine affordable:
//! its clones and digests cost once for each distinct life, not for each state of the world.

use std::hash::Hash;
use std::time::Duration;

use crashpoint::protocol::{
    Command, Definition, LifeOptions, Machine as _, Opening, Performed, Reply, Rules, StoreFailed,
    Work,
};
use crashpoint::{AppendRetry, Label, Nonce, TaskKind};

use crate::intern::{Interner, Memory};
use crate::logs::Logs;
use crate::scope::Scope;
use crate::shape;
use crate::world::{Answer, LifeId, RowId};

/// The command of a life, with numbers for rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    Load,
    Append(RowId),
    Pause,
    Perform,
    Clear,
    Finish,
}

/// The facts of a life that every state needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct LifeFacts {
    pub(super) ask: Ask,
    /// The number of its [`RunState`].
    pub(super) run_state: u32,
    pub(super) next_sequence: u64,
    /// The first byte of its run's nonce, once it knows the run.
    pub(super) run: Option<u8>,
}

/// Every life of the exploration.
#[derive(Debug)]
pub(super) struct Lives<R: Rules> {
    scope: Scope,
    rules: R,
    definition: Definition,
    machines: Interner<R::Life>,
    facts: Vec<LifeFacts>,
    received: Memory<(LifeId, Answer), LifeId>,
    cancelled: Memory<LifeId, LifeId>,
    born: Memory<(u8, bool), LifeId>,
}

impl<R: Rules + Copy + Eq + Hash> Lives<R> {
    pub(super) fn new(scope: Scope, rules: R) -> Self {
        Self {
            scope,
            rules,
            definition: shape::definition(scope.shape),
            machines: Interner::new(),
            facts: Vec::new(),
            received: Memory::new(),
            cancelled: Memory::new(),
            born: Memory::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.machines.len()
    }

    pub(super) fn rules(&self) -> R {
        self.rules
    }

    pub(super) fn definition(&self) -> &Definition {
        &self.definition
    }

    pub(super) fn is_compensatable(&self, state: usize) -> bool {
        let task = self.definition.task(state);
        task.is_some_and(|task| task.kind == TaskKind::Compensatable)
    }

    pub(super) fn facts(&self, life: LifeId) -> &LifeFacts {
        &self.facts[life.0 as usize]
    }

    pub(super) fn command(&self, life: LifeId) -> Command<'_> {
        self.machines.get(life.0).command()
    }

    /// The action that the life asks for, if it does.
    pub(super) fn work(&self, life: LifeId) -> Option<&Work> {
        match self.command(life) {
            Command::Perform { work, .. } => Some(work),
            _ => None,
        }
    }

    /// The life with this number that begins by `run`, or otherwise by `resume_from`.
    pub(super) fn born(&mut self, number: u8, by_run: bool, logs: &mut Logs) -> LifeId {
        if let Some(life) = self.born.get(&(number, by_run)) {
            return life;
        }
        let opening = if by_run {
            Opening::Run {
                state: Label::from(shape::start(self.scope.shape)),
                input: [].as_slice().into(),
            }
        } else {
            Opening::Resume
        };
        let nonce = Nonce([number + 1; 16]);
        let machine = self.rules.begin(opening, nonce, 0, self.options());
        let life = self.number(machine, logs);
        self.born.insert((number, by_run), life);
        life
    }

    /// The life after it has received `answer`.
    pub(super) fn after_answer(&mut self, life: LifeId, answer: Answer, logs: &mut Logs) -> LifeId {
        if let Some(after) = self.received.get(&(life, answer)) {
            return after;
        }
        let mut machine = self.machines.get(life.0).clone();
        let reply = self.reply(life, answer, logs);
        machine.on(reply, self.options());
        let after = self.number(machine, logs);
        self.received.insert((life, answer), after);
        after
    }

    /// The life after it was cancelled.
    pub(super) fn cancelled(&mut self, life: LifeId, logs: &mut Logs) -> LifeId {
        if let Some(after) = self.cancelled.get(&life) {
            return after;
        }
        let mut machine = self.machines.get(life.0).clone();
        machine.cancel(self.options());
        let after = self.number(machine, logs);
        self.cancelled.insert(life, after);
        after
    }

    fn options(&self) -> LifeOptions<'_> {
        LifeOptions {
            workflow_id: "subject-1",
            definition: &self.definition,
            retention: self.scope.retention,
            append_retry: AppendRetry {
                sends_max: self.scope.sends_max,
                delay: Duration::ZERO,
            },
        }
    }

    fn reply(&self, life: LifeId, answer: Answer, logs: &Logs) -> Reply {
        match answer {
            Answer::Loaded(log) => Reply::Loaded(Ok(logs.rows_of(log))),
            Answer::LoadFailed => Reply::Loaded(Err(StoreFailed)),
            Answer::Appended => Reply::Appended(Ok(())),
            Answer::AppendFailed => Reply::Appended(Err(StoreFailed)),
            Answer::Paused => Reply::Paused,
            Answer::Succeeded => {
                let work = self.work(life).expect("only an action succeeds");
                Reply::Performed(shape::success(self.scope.shape, work))
            }
            Answer::Failed => Reply::Performed(shape::failure()),
            Answer::Cancelled => Reply::Performed(Performed::Cancelled),
            Answer::Cleared => Reply::Cleared,
        }
    }

    fn number(&mut self, machine: R::Life, logs: &mut Logs) -> LifeId {
        let (number, new) = self.machines.intern(machine);
        if new {
            let machine = self.machines.get(number);
            let state = machine.state();
            self.facts.push(LifeFacts {
                ask: match machine.command() {
                    Command::Load => Ask::Load,
                    Command::Append(row) => Ask::Append(logs.row(row)),
                    Command::Pause(_) => Ask::Pause,
                    Command::ReadClock => unreachable!("no shape has a timer"),
                    Command::Perform { .. } => Ask::Perform,
                    Command::Clear => Ask::Clear,
                    Command::Finish(_) => Ask::Finish,
                },
                run_state: logs.run_state(state),
                next_sequence: state.next_sequence(),
                run: state.header().map(|header| header.run_id.0[0]),
            });
        }
        LifeId(number)
    }

    /// Whether a single life that resumes from `log` ends when nothing fails.
    pub(super) fn resumes(&self, log: u16, logs: &Logs) -> bool {
        let options = self.options();
        let mut rows = logs.rows_of(log);
        let nonce = Nonce([u8::MAX; 16]);
        let mut life = self.rules.begin(Opening::Resume, nonce, 0, options);
        for _ in 0..COMMANDS_MAX {
            let reply = match life.command() {
                Command::Load => Reply::Loaded(Ok(rows.clone())),
                Command::Append(row) => {
                    rows.push(row.clone());
                    Reply::Appended(Ok(()))
                }
                Command::Pause(_) => Reply::Paused,
                Command::ReadClock => unreachable!("no shape has a timer"),
                Command::Perform { work, .. } => {
                    Reply::Performed(shape::success(self.scope.shape, work))
                }
                Command::Clear => Reply::Cleared,
                Command::Finish(verdict) => return verdict.is_ok(),
            };
            life.on(reply, options);
        }
        false
    }
}

/// More commands than a resume without faults needs: a claim, two visits of at most three steps or
/// three undos, each with an append, and the ending.
const COMMANDS_MAX: u32 = 32;
