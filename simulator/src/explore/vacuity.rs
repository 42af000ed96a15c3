//! Shows that every check works. A check that never fired proves nothing: a fault in no schedule, a
//! crash point without a crash, an oracle that caught no mutant.
//!
//! A [`Table`] counts these over everything explored, and names its zeros. It has a row for every
//! kind of [`Fault::kinds`] and every oracle of [`ORACLES`], so a new and unused one is a zero; so
//! is a fault that fired and is not in the list. The crash images of the embedded store have faults
//! of their own, [`Hazard`]s. Each has a row too, and each must fire when it was armed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use crate::choices::Exhaustive;
use crate::executor::lock;
use crate::explore::operations::first_objection;
use crate::explore::{Findings, explore};
use crate::fault::{Budget, Fault, Group, Schedule};
use crate::images::{self, Armed, Embedded, Exploration, Hazard, Modes, Op, Script};
use crate::operations::{self, BROKEN, Broken};
use crate::oracle::{ORACLES, judge};
use crate::record::{Operations, Simulated as _};
use crate::sim::{Release, Settings, SharedChoices, StoreKind, simulate};
use crate::workload::{Rule, controls, named};

/// The most schedules that are run until an oracle catches its mutant.
const SCHEDULES_MAX: u64 = 200_000;

/// The number of images with a flipped bit.
const ROTTEN: u64 = 200;

/// A mutant that an oracle must catch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Witness {
    /// The oracle.
    pub oracle: &'static str,
    /// The name of the workload.
    pub workload: &'static str,
    /// The rule that its engine breaks. Two witnesses have none: a disk that loses synced content,
    /// and a workflow whose author made a mistake.
    pub rule: Option<Rule>,
    /// The store under the workload.
    pub store: StoreKind,
    /// The faults of a schedule, as the text of a [`Budget`].
    pub budget: &'static str,
}

impl Witness {
    /// The name of the mutant on the command line, with the rule after the `~`.
    pub fn name(&self) -> String {
        match self.rule {
            None => self.workload.to_owned(),
            Some(rule) => format!("{}~{rule:?}", self.workload),
        }
    }
}

const fn without(
    rule: Rule,
    workload: &'static str,
    budget: &'static str,
    oracle: &'static str,
) -> Witness {
    Witness {
        rule: Some(rule),
        ..alone(workload, budget, oracle)
    }
}

const fn alone(workload: &'static str, budget: &'static str, oracle: &'static str) -> Witness {
    Witness {
        oracle,
        workload,
        rule: None,
        store: StoreKind::Memory,
        budget,
    }
}

/// A witness for each oracle. The tests use the same table, and more mutants.
pub const WITNESSES: &[Witness] = &[
    without(Rule::StateIsTheFold, "order", "c1", "fold-equality"),
    without(Rule::TerminalAbsorbs, "order", "c1", "prefixes-resume"),
    alone(controls::TASK_PANICS, "c1", "no-panics"),
    alone(controls::TASK_HANGS, "c1", "no-hangs"),
    without(Rule::CompletionIsOneRow, "order", "c1", "no-state-skipped"),
    without(Rule::ClaimsAreUnique, "order", "t1p2", "visits-rerun"),
    without(Rule::CompletionIsOneRow, "order", "c1", "edges"),
    without(Rule::ReadBackBeforeResend, "order", "f2", "log-is-dense"),
    without(Rule::FencedStops, "order", "t1p2", "one-writer"),
    without(
        Rule::StorageFaultSuspends,
        "order",
        "f2",
        "storage-faults-stay-out",
    ),
    without(Rule::TerminalAbsorbs, "order", "c1", "terminal-absorbs"),
    without(
        Rule::CorruptionStops,
        "order",
        "c1b1",
        "refusals-do-nothing",
    ),
    alone(
        "upgrade-forgets-version-old-new",
        "c1",
        "releases-carry-logs",
    ),
    without(Rule::RollbackResumes, "order-fails", "c1", "liveness"),
    without(
        Rule::OpenVisitIsUndone,
        "order-fails",
        "c1",
        "all-or-nothing",
    ),
    without(Rule::RollbackIsFinal, "order-fails", "c1", "direction"),
    without(Rule::UndoInReverse, "order-fails", "c1", "undo-order"),
    without(Rule::UndoRunsOnce, "order-fails", "c1", "undo-once"),
    without(Rule::OpenVisitIsUndone, "order-fails", "c1", "coverage"),
    without(Rule::UndoGetsItsOutput, "order-fails", "c1", "undo-bytes"),
    without(Rule::CursorBelongsToVisit, "import-loop", "c1", "cursor"),
    without(Rule::StepWaitsForCursor, "import-loop", "c1", "step-order"),
    without(Rule::OutcomeAfterRow, "order", "c1f1", "outcome-is-durable"),
    without(Rule::PinnedRowIsFinal, "order", "c1f1", "pinned-row"),
    without(Rule::KeyOutlivesTheLife, "order", "c1", "keys"),
    without(Rule::FenceNeedsARival, "order", "f1", "no-false-fence"),
    without(Rule::CancelIsHeeded, "order", "x1", "cancellation"),
    Witness {
        store: StoreKind::RedbLosingWrites,
        ..alone("order", "c1", "store-keeps-rows")
    },
    alone(controls::ROUTER_ACTS, "c1", "routers-do-nothing"),
    without(
        Rule::DeadlineIsOriginal,
        "reminder",
        "c1",
        "timers-keep-their-deadline",
    ),
    without(Rule::RoundsAreKept, "parcel", "c1", "polls-go-on"),
    alone(controls::TAKES_LONG, "c1", "ends-in-time"),
    alone(controls::SENDS_AGAIN, "c1", "keyless-once"),
    alone(controls::LOSES_OUTPUT, "c1", "values-read-back"),
    alone(controls::GETS_STUCK, "c1", "stuck-has-a-cause"),
    alone(controls::GIVES_UP, "c1", "crashes-keep-the-ending"),
    alone(controls::NEVER_DONE, "c1", "calm-is-done"),
    alone(controls::MISTAKEN, "c1", "invariants"),
];

/// Upgrades with a mistake, each with the oracle that must catch it: of the author, or of the engine of the
/// new release.
pub const BROKEN_UPGRADES: &[Witness] = &[
    alone(
        "upgrade-forgets-version-old-new",
        "c1",
        "releases-carry-logs",
    ),
    alone("upgrade-renames-task-old-new", "c1", "keys"),
    alone("upgrade-forgets-undo-old-new", "c1e1", "all-or-nothing"),
    without(
        Rule::MismatchBeforeClaim,
        "upgrade-removes-state-old-new",
        "c1",
        "refusals-do-nothing",
    ),
    without(
        Rule::UndoRunsOnce,
        "upgrade-renames-state-old-new",
        "c1e1",
        "undo-once",
    ),
];

/// A mutant that an oracle caught.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Objection {
    mutant: String,
    /// The number of schedules that were run, this one included.
    schedules: u64,
    schedule: Schedule,
}

/// The crash points of a workload over a store.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Points {
    what: String,
    covered: usize,
    total: usize,
}

/// The logs that the releases of an upgrade found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Logs {
    what: String,
    /// Those that the new release carried.
    carried: u64,
    /// Those that the new release refused.
    refused: u64,
}

/// The counts of faults, hazards, crash points, logs and oracles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    faults: BTreeMap<Fault, u64>,
    points: Vec<Points>,
    logs: Vec<Logs>,
    hazards: BTreeMap<Hazard, Armed>,
    oracles: Vec<(&'static str, Option<Objection>)>,
    /// The same for each broken operation, with the oracle that must catch it.
    operations: Vec<(&'static str, Broken, Option<Objection>)>,
    /// The same for each broken upgrade.
    upgrades: Vec<(Witness, Option<Objection>)>,
}

impl Table {
    /// A table of these witnesses, with nothing explored yet.
    ///
    /// # Panics
    ///
    /// If a witness names an unknown workload or an invalid budget.
    pub fn of(witnesses: &[Witness]) -> Self {
        let oracles = ORACLES.iter().map(|oracle| {
            let mut witnesses = witnesses.iter().filter(|it| it.oracle == oracle.name);
            (oracle.name, witnesses.find_map(objection))
        });
        Self {
            faults: expected_faults().map(|fault| (fault, 0)).collect(),
            points: Vec::new(),
            logs: Vec::new(),
            hazards: Hazard::all().map(|it| (it, Armed::default())).collect(),
            oracles: oracles.collect(),
            operations: BROKEN
                .iter()
                .map(|(broken, oracle)| (*oracle, *broken, None))
                .collect(),
            upgrades: BROKEN_UPGRADES.iter().map(|it| (*it, None)).collect(),
        }
    }

    /// Runs each broken operation until its oracle catches it.
    pub fn add_broken_operations(&mut self) {
        for (oracle, broken, seen) in &mut self.operations {
            *seen = objection_to_operation(*broken, oracle);
        }
    }

    /// Runs each broken upgrade until its oracle catches it.
    pub fn add_broken_upgrades(&mut self) {
        for (witness, seen) in &mut self.upgrades {
            *seen = objection(witness);
        }
    }

    /// Counts the fired faults of an exploration.
    pub fn add_faults(&mut self, findings: &Findings) {
        for (fault, count) in &findings.fired {
            *self.faults.entry(*fault).or_default() += count;
        }
    }

    /// Explores a workload that calls a service, and counts the faults of services.
    ///
    /// # Panics
    ///
    /// Never: the workload is built in.
    pub fn add_services(&mut self) {
        let workload = named(controls::CALLS).expect("it is built in");
        let budget = Budget {
            services: 1,
            ..Budget::NONE
        };
        self.add_faults(&explore(&workload, &Settings::within(budget)));
    }

    /// Counts the fired faults and the crash points of an exploration, and the logs that the releases of
    /// an upgrade found.
    pub fn add(&mut self, workload: &str, store: StoreKind, findings: &Findings) {
        self.add_faults(findings);
        self.points.push(Points {
            what: format!("{workload} over {store}"),
            covered: findings.recorder.covered(),
            total: findings.recorder.total(),
        });
        if named(workload).is_some_and(|it| it.upgrade.is_some()) {
            self.logs.push(Logs {
                what: format!("{workload} over {store}"),
                carried: findings.resumptions.carried(Release::New),
                refused: findings.resumptions.refused(Release::New),
            });
        }
    }

    /// Counts the hazards of a store in its images.
    ///
    /// # Panics
    ///
    /// Never: a report counts what is armed before it fires.
    pub fn add_images(&mut self, report: &images::ImagesReport) {
        for (hazard, Armed { armed, fired }) in &report.hazards {
            let sum = self.hazards.entry(*hazard).or_default();
            sum.armed += armed;
            sum.fired += fired;
            assert!(
                sum.fired <= sum.armed,
                "{hazard}: what has fired was armed before"
            );
        }
    }

    /// Counts images with a flipped bit. The hazard fired in all of them or in none: if every image
    /// passes as right, nobody checks.
    pub fn add_rot(&mut self, rot: &images::Rot) {
        let sum = self.hazards.entry(Hazard::Rot).or_default();
        sum.armed += rot.images;
        sum.fired += if rot.refused == 0 { 0 } else { rot.images };
    }

    /// Explores crash images of the embedded store, over the smallest scripts that have every
    /// hazard, and counts the hazards.
    pub fn add_embedded(&mut self) {
        let small = Script::new(100).then([Op::Append(0), Op::Append(1), Op::Clear(0)]);
        // More unsynced changes than can be tried in every subset.
        let large = Script::new(20_000).together((0..4).map(Op::Append));
        self.add_images(&Exploration::of(&large, &Embedded).explore());
        let exploration = Exploration::of(&small, &Embedded);
        self.add_images(&exploration.explore());
        let plain = exploration.modes(Modes::Plain);
        self.add_images(&plain.every_error());
        self.add_images(&plain.every_size());
        for lying in plain.every_lie() {
            self.add_images(&lying);
        }
        self.add_rot(&exploration.rot(ROTTEN, 1));
    }

    /// The zeros of the table, in words. A build with a zero proves nothing.
    pub fn zeros(&self) -> Vec<String> {
        let mut zeros = Vec::new();
        for (fault, count) in &self.faults {
            if *count == 0 {
                zeros.push(format!("no schedule had the fault {}", fault.pattern()));
            }
            if !Fault::kinds().any(|kind| kind == *fault) {
                zeros.push(format!("a fault of an unknown kind fired: {fault}"));
            }
        }
        for (hazard, Armed { armed, fired }) in &self.hazards {
            if fired < armed || *armed == 0 {
                zeros.push(format!("images: {fired} of {armed} fired: {hazard}"));
            }
        }
        if self.points.is_empty() {
            zeros.push("no crash points were counted".to_owned());
        }
        for Points {
            what,
            covered,
            total,
        } in &self.points
        {
            if covered < total || *total == 0 {
                zeros.push(format!("{what}: {covered} of {total} crash points covered"));
            }
        }
        for Logs {
            what,
            carried,
            refused,
        } in &self.logs
        {
            if carried + refused == 0 {
                zeros.push(format!("{what}: the new release found no log"));
            }
        }
        if self.logs.iter().all(|logs| logs.refused == 0) {
            zeros.push("no upgrade refused a log".to_owned());
        }
        let silent = self.oracles.iter().filter(|(_, seen)| seen.is_none());
        zeros.extend(silent.map(|(oracle, _)| format!("{oracle} caught no mutant")));
        for (oracle, broken, seen) in &self.operations {
            if seen.is_none() {
                zeros.push(format!("{oracle} did not catch {broken}"));
            }
        }
        for (witness, seen) in &self.upgrades {
            if seen.is_none() {
                zeros.push(format!(
                    "{} did not catch {}",
                    witness.oracle,
                    witness.name()
                ));
            }
        }
        for oracle in operations::oracle::ORACLES {
            if !BROKEN.iter().any(|(_, of)| *of == oracle.name) {
                zeros.push(format!("{} has no broken operation to catch", oracle.name));
            }
        }
        zeros
    }
}

/// The kinds of faults that some schedule of a built-in workload has. These spawn no tasks, so there
/// is no order of tasks to change.
fn expected_faults() -> impl Iterator<Item = Fault> {
    Fault::kinds().filter(|fault| fault.group() != Group::Order)
}

/// Runs the schedules of a mutant until the oracle catches it.
fn objection(witness: &Witness) -> Option<Objection> {
    let name = witness.name();
    let workload = named(&name).unwrap_or_else(|| panic!("{name} is a workload"));
    let budget: Result<Budget, _> = witness.budget.parse();
    let settings = Settings {
        store: witness.store,
        ..Settings::within(budget.unwrap_or_else(|bad| panic!("{bad}")))
    };
    let choices = Arc::new(Mutex::new(Exhaustive::new()));
    for schedules in 1..=SCHEDULES_MAX {
        let shared = Arc::clone(&choices) as SharedChoices;
        let run = simulate(&workload, &settings, shared);
        let mut verdicts = judge(&workload, &run).into_iter();
        if verdicts.any(|verdict| verdict.oracle == witness.oracle) {
            return Some(Objection {
                mutant: format!("{name} over {}", witness.store),
                schedules,
                schedule: Schedule::of(&run.history),
            });
        }
        if !lock(&choices).advance() {
            break;
        }
    }
    None
}

/// Runs the simulations of a broken operation until the oracle catches it.
fn objection_to_operation(broken: Broken, oracle: &str) -> Option<Objection> {
    let (schedules, schedule) = first_objection(broken, oracle)?;
    Some(Objection {
        mutant: format!(
            "{} over {}",
            Operations(Some(broken)).name(),
            broken.settings().store
        ),
        schedules,
        schedule,
    })
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>9}  fault", "fired")?;
        for (fault, count) in &self.faults {
            let (pattern, prose) = (fault.pattern(), fault.kind_prose());
            writeln!(f, "{count:>9}  {pattern:<24} {prose}")?;
        }
        writeln!(f, "\n{:>9}  {:>9}  in crash images", "fired", "of")?;
        for (hazard, Armed { armed, fired }) in &self.hazards {
            writeln!(f, "{fired:>9}  {armed:>9}  {hazard}")?;
        }
        writeln!(f, "\n{:>9}  {:>9}  crash points of", "covered", "of")?;
        for Points {
            what,
            covered,
            total,
        } in &self.points
        {
            writeln!(f, "{covered:>9}  {total:>9}  {what}")?;
        }
        writeln!(
            f,
            "\n{:>9}  {:>9}  logs, by the new release of",
            "carried", "refused"
        )?;
        for Logs {
            what,
            carried,
            refused,
        } in &self.logs
        {
            writeln!(f, "{carried:>9}  {refused:>9}  {what}")?;
        }
        writeln!(f, "\n{:>9}  {:<24} first catch", "schedule", "oracle")?;
        let operations = self.operations.iter();
        let operations = operations.map(|(oracle, _, seen)| (*oracle, seen));
        let oracles = self.oracles.iter().map(|(oracle, seen)| (*oracle, seen));
        let upgrades = self.upgrades.iter().map(|(it, seen)| (it.oracle, seen));
        for (oracle, seen) in oracles.chain(operations).chain(upgrades) {
            let Some(seen) = seen else {
                writeln!(f, "{:>9}  {oracle:<24} none", 0)?;
                continue;
            };
            let schedule = match seen.schedule.0.is_empty() {
                true => "no fault".to_owned(),
                false => seen.schedule.items().join("; "),
            };
            let (schedules, mutant) = (seen.schedules, &seen.mutant);
            writeln!(f, "{schedules:>9}  {oracle:<24} {mutant}: {schedule}")?;
        }
        Ok(())
    }
}
