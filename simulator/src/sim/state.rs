//! The changing state of a simulation, and the decision of what happens at an instant.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crashpoint::CheckpointRow;
use smol_str::{SmolStr, format_smolstr};

use crate::choices::Tape;
use crate::disk::{Loss, SimDisk};
use crate::executor::lock;
use crate::fault::{
    Breach, Budget, ClockFault, Crash, DiskFault, Fault, Fired, LeftOut, order_label, switch_label,
};
use crate::history::{Crashes, History, Recorder, What, World};
use crate::sim::{Activity, Ambient, Instant, Offer, Settings, SharedChoices, Sim, Survivor};

/// How far a wall clock jumps, in milliseconds.
const HOUR_MS: i64 = 60 * 60 * 1000;

/// The state of a simulation. Everything outside [`Lasting`] is lost when all processes are dead.
pub(crate) struct State {
    pub(crate) lasting: Lasting,
    pub(crate) recorder: Recorder,
    source: Drawn,
    /// Whether faults may happen; false while a run is verified.
    pub(crate) injecting: bool,
    /// An instant at which the injector offers no crash, to test the recorder.
    skip: Option<String>,
    /// The passed instants.
    passed: Names,
    /// The instants at which a switch was drawn.
    switched: Names,
    /// The instants at which the order of tasks was drawn.
    ordered: Names,
    /// Rows that loads show although they are not durable.
    pub(crate) phantoms: Vec<Arc<CheckpointRow>>,
    /// The number of living lives.
    pub(crate) alive: u32,
    pub(crate) rival_wanted: bool,
    /// The faults that are not offered.
    pub(super) left_out: Arc<LeftOut>,
    /// The survivors of crashes, if crashes are copied and not drawn.
    forks: Option<Forks>,
}

/// What survives the death of every process, except the storage.
#[derive(Debug, Clone)]
pub(crate) struct Lasting {
    /// The draws so far.
    pub(crate) tape: Tape,
    /// The length of the history at each draw.
    pub(crate) drawn: Vec<usize>,
    pub(crate) budget: Budget,
    /// The crashes so far.
    pub(crate) crashes: Crashes,
    pub(crate) history: History,
    pub(crate) world: World,
    /// Changes in flight to the store.
    pub(crate) late: Vec<Late>,
    /// The number of operations on the store.
    pub(crate) operations: u64,
    /// The change of the log that is under way. After a crash its outcome is unknown.
    pub(crate) under_way: Option<(u32, Change)>,
    pub(crate) lives: u32,
    /// The life in which the disk failed for good or became full, until the operator replaces it.
    pub(crate) broken_since: Option<u32>,
    /// The error of the wall clock, in milliseconds.
    pub(crate) clock_skew_ms: i64,
    /// How often the operator has retried a stuck run.
    pub(crate) stuck_retries: u32,
    /// When the last fault happened: the number of lives, and the time.
    pub(crate) last_fault: (u32, Duration),
    /// What the run took after it, if it has ended since.
    pub(crate) took: Option<Took>,
}

/// What a run took after the last fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Took {
    /// The number of lives that began.
    pub lives: u32,
    /// The virtual time.
    pub time: Duration,
}

/// The crashes of a simulation that continues without them.
#[derive(Debug)]
struct Forks {
    /// The number of choices before the first instant to fork at. An earlier simulation had the
    /// same choices.
    from: usize,
    survivors: Vec<Survivor>,
}

/// A change of the log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Change {
    Append(Arc<CheckpointRow>),
    Clear,
}

/// A change in flight to the store.
#[derive(Debug, Clone)]
pub(crate) struct Late {
    pub(crate) due: u64,
    pub(crate) life: u32,
    pub(crate) change: Change,
}

/// How often each instant was passed, by life. It distinguishes repetitions.
#[derive(Default)]
struct Names(BTreeMap<(u32, Activity, &'static str), u32>);

/// The source of choices, which outlives the simulation.
struct Drawn {
    shared: SharedChoices,
    /// The number of its choices so far.
    count: usize,
}

impl Lasting {
    pub(crate) fn new(budget: Budget) -> Self {
        Self {
            tape: Tape::default(),
            drawn: Vec::new(),
            budget,
            crashes: Crashes::default(),
            history: History::default(),
            world: World::default(),
            late: Vec::new(),
            operations: 0,
            under_way: None,
            lives: 0,
            broken_since: None,
            clock_skew_ms: 0,
            stuck_retries: 0,
            last_fault: (0, Duration::ZERO),
            took: None,
        }
    }

    /// A fault has happened.
    pub(super) fn fault_at(&mut self, now: Duration) {
        self.last_fault = (self.lives, now);
        self.took = None;
    }

    /// A life has returned an outcome.
    pub(super) fn ends_at(&mut self, now: Duration) {
        let (lives, time) = self.last_fault;
        self.took.get_or_insert(Took {
            lives: self.lives - lives,
            time: now.saturating_sub(time),
        });
    }

    /// Adds a draw to the tape.
    pub(super) fn draw(&mut self, label: SmolStr, n: usize, chosen: usize) {
        let now = self.history.0.len();
        assert!(
            self.drawn.last().is_none_or(|last| *last <= now),
            "the history only grows, so draws are in its order"
        );
        self.tape.record(label, n, chosen);
        self.drawn.push(now);
        assert_eq!(
            self.tape.0.len(),
            self.drawn.len(),
            "each draw of the tape has its place in the history"
        );
    }

    /// Records a fault at `point`.
    pub(super) fn record_fault(&mut self, life: u32, point: SmolStr, fault: Fault) {
        assert!(
            life <= self.lives,
            "a fault befalls a life that has begun, or nobody"
        );
        self.budget.pay(fault);
        match fault {
            Fault::Crash(Crash::Process) => self.crashes.add(&point),
            Fault::Crash(Crash::PowerLoss) => self.crashes.add(&without_power(&point)),
            Fault::Disk(disk) => match disk {
                DiskFault::PowerLoss(_) => self.crashes.add(&without_power(&point)),
                DiskFault::WriteErrorLasting | DiskFault::SyncErrorLasting | DiskFault::Full => {
                    self.broken_since.get_or_insert(self.lives);
                }
                DiskFault::WriteError | DiskFault::SyncError => {}
            },
            Fault::Clock(clock) => match clock {
                ClockFault::Ahead => self.clock_skew_ms += HOUR_MS,
                ClockFault::Back => self.clock_skew_ms -= HOUR_MS,
                ClockFault::Sleep => {}
            },
            Fault::Takeover
            | Fault::Cancel
            | Fault::Store(_)
            | Fault::Attempt(_)
            | Fault::Breach(_)
            | Fault::Service(_)
            | Fault::Switch(_)
            | Fault::Order(_) => {}
        }
        self.history.push(life, What::Fault(Fired { point, fault }));
    }
}

impl State {
    pub(super) fn new(lasting: Lasting, choices: SharedChoices, settings: &Settings) -> Self {
        let mut recorder = Recorder::new(settings.budget.counted_depth());
        recorder.fired(&lasting.crashes);
        Self {
            lasting,
            recorder,
            source: Drawn {
                shared: choices,
                count: 0,
            },
            injecting: true,
            skip: settings.skip.clone(),
            passed: Names::default(),
            switched: Names::default(),
            ordered: Names::default(),
            phantoms: Vec::new(),
            alive: 0,
            rival_wanted: false,
            left_out: Arc::default(),
            forks: None,
        }
    }

    /// Draws one of these faults or none, and adds the draw to the tape. The first `past` faults
    /// are excluded but keep their numbers. Returns the index of the fault.
    fn choose(&mut self, label: SmolStr, faults: &[Fault], past: usize) -> Option<usize> {
        assert!(
            past <= faults.len(),
            "the faults that are left out are some of all"
        );
        let chosen = match self.source.choose(&label, &faults[past..]) {
            0 => 0,
            chosen => chosen + past,
        };
        self.lasting.draw(label, faults.len() + 1, chosen);
        chosen.checked_sub(1)
    }

    /// Decides what happens at an instant of `life`. `forked` is the simulation if a crash would
    /// kill all its lives.
    pub(super) fn decide<F: Copy + Into<Fault>>(
        &mut self,
        life: u32,
        instant: &Instant<'_, F>,
        power: Option<&SimDisk>,
        forked: Option<&Sim>,
    ) -> Option<Offer<F>> {
        if !self.injecting || self.is_settled() {
            return None;
        }
        assert!(
            (1..=self.lasting.lives).contains(&life),
            "an instant belongs to a life that has begun"
        );
        let point = self.passed.next(life, instant.what, instant.when);
        let (recorder, crashes) = (&mut self.recorder, &self.lasting.crashes);
        let crashes_are_possible = self.left_out.permits(Fault::Crash(Crash::Process));
        if instant.crash && crashes_are_possible {
            recorder.passed(crashes, &point, life, || instant.what.operation());
        }
        if power.is_some() {
            let point = without_power(&point);
            recorder.passed(crashes, &point, life, || instant.what.operation());
        }
        let offers = self.offers(&point, instant, power);
        if offers.is_empty() {
            return None;
        }
        let faults: Vec<Fault> = offers.iter().map(|offer| offer.fault()).collect();
        let crashes = forked.map_or(0, |sim| self.fork(sim, life, &point, &faults));
        let chosen = self.choose(point.clone(), &faults, crashes)?;
        self.lasting.record_fault(life, point, faults[chosen]);
        self.recorder.fired(&self.lasting.crashes);
        Some(offers[chosen])
    }

    /// This many lives have ended or died.
    pub(super) fn leave_behind(&mut self, lives: u32) {
        let alive = self.alive.checked_sub(lives);
        self.alive = alive.expect("each life ends once, so no more end than are alive");
    }

    /// Whether from here on no fault can happen and no crash point is counted, so that instants
    /// need no names.
    fn is_settled(&self) -> bool {
        let Lasting {
            budget, crashes, ..
        } = &self.lasting;
        *budget == Budget::default() && !self.recorder.counts_after(crashes)
    }

    /// The faults offered at an instant: crashes first, and partial power losses last, because
    /// there are many. Tapes number the offers, so their order never changes.
    fn offers<F: Copy + Into<Fault>>(
        &mut self,
        point: &str,
        instant: &Instant<'_, F>,
        power: Option<&SimDisk>,
    ) -> Vec<Offer<F>> {
        let mut ambient = Vec::new();
        if instant.crash && self.skip.as_deref() != Some(point) {
            ambient.push(Ambient::Crash(Crash::Process));
        }
        if power.is_some() {
            ambient.push(Ambient::Crash(Crash::PowerLoss));
        }
        if instant.others {
            ambient.extend([Ambient::Takeover, Ambient::Cancel]);
            ambient.extend(ClockFault::KINDS.iter().copied().map(Ambient::Clock));
        }
        let mut offers: Vec<Offer<F>> = ambient.into_iter().map(Offer::Ambient).collect();
        offers.extend(instant.faults.iter().copied().map(Offer::Operation));
        let budget = self.lasting.budget;
        // If nobody can act in the meantime, late is the same as in time.
        let company = self.alive > 1 || budget.has_company();
        offers.retain(|offer| {
            let fault = offer.fault();
            let possible = budget.affords(fault) && self.left_out.permits(fault);
            possible && (company || !fault.needs_company())
        });
        let partial = budget.disk > 0 && self.left_out.permits(Fault::PARTIAL_POWER_LOSS);
        if let Some(disk) = power.filter(|_| partial) {
            let losses = disk.image().losses().into_iter();
            let partial = losses.filter(|loss| ![Loss::OF_ALL, Loss::OF_NOTHING].contains(loss));
            offers.extend(partial.map(|loss| Offer::Ambient(Ambient::PowerLoss(loss))));
        }
        offers
    }

    /// From now on crashes that kill every process are not drawn. Instead their survivors are kept.
    /// Crashes before the choice `from` were explored before.
    pub(crate) fn fork_crashes(&mut self, from: usize) {
        let survivors = Vec::new();
        self.forks = Some(Forks { from, survivors });
    }

    /// Keeps the survivor of each crash among the faults. Returns their number.
    fn fork(&mut self, sim: &Sim, life: u32, point: &SmolStr, faults: &[Fault]) -> usize {
        let Some(forks) = &mut self.forks else {
            return 0;
        };
        let crash = |fault: &Fault| match fault {
            Fault::Crash(crash) => Some(*crash),
            _ => None,
        };
        let crashes: Vec<Crash> = faults.iter().map_while(crash).collect();
        assert!(
            faults[crashes.len()..].iter().all(|it| crash(it).is_none()),
            "crashes are offered first, so the others keep their numbers where crashes are copied"
        );
        if self.source.count >= forks.from {
            let n = faults.len() + 1;
            for (index, crash) in crashes.iter().enumerate() {
                let mut survivor = Survivor::of(sim, &self.lasting);
                survivor.record_crash(life, point, *crash, (n, index + 1));
                forks.survivors.push(survivor);
            }
        }
        crashes.len()
    }

    /// The survivors of the crashes that did not happen.
    pub(crate) fn take_forks(&mut self) -> Vec<Survivor> {
        let forks = self.forks.take();
        forks.map_or_else(Vec::new, |forks| forks.survivors)
    }

    /// Draws the row that the log loses while no life runs, if the budget allows it.
    pub(crate) fn choose_lost_row(&mut self, rows: u64) -> Option<u64> {
        if self.lasting.budget.breaches == 0 || rows < 3 {
            return None;
        }
        let point = format_smolstr!("life{}/gone", self.lasting.lives);
        let middle: Vec<u64> = (1..rows - 1).collect();
        let lost = |row: &u64| Fault::Breach(Breach::LostRow(*row));
        let faults: Vec<Fault> = middle.iter().map(lost).collect();
        let chosen = self.choose(point.clone(), &faults, 0)?;
        self.lasting.record_fault(0, point, faults[chosen]);
        assert!(
            (1..rows - 1).contains(&middle[chosen]),
            "the first row and the last are never lost"
        );
        Some(middle[chosen])
    }

    /// Draws whether one of the lives `others` runs next instead of `life`, which waits at an
    /// instant. Returns its index. The switch costs budget if `life` could have continued.
    pub(crate) fn choose_switch(
        &mut self,
        life: u32,
        (what, when): (Activity, &'static str),
        others: &[u32],
        preempts: bool,
    ) -> Option<usize> {
        if preempts && self.lasting.budget.preemptions == 0 {
            return None;
        }
        let point = self.switched.next(life, &what, when);
        let faults: Vec<Fault> = others.iter().copied().map(Fault::Switch).collect();
        let chosen = self.choose(switch_label(&point), &faults, 0)?;
        let fault = faults[chosen];
        if preempts {
            self.lasting.budget.pay(fault);
        }
        let fired = What::Fault(Fired { point, fault });
        self.lasting.history.push(life, fired);
        Some(chosen)
    }

    /// Whether a schedule may choose which of the waiting tasks of a life goes on.
    pub(crate) fn draws_orders(&self) -> bool {
        self.injecting && self.lasting.budget.orders > 0
    }

    /// Draws whether one of this many `others` goes on instead of the task of `life` that waits at
    /// an instant. Returns its index.
    pub(crate) fn choose_order(
        &mut self,
        life: u32,
        (what, when): &(Activity, &'static str),
        others: usize,
    ) -> Option<usize> {
        if others == 0 || !self.draws_orders() {
            return None;
        }
        let point = self.ordered.next(life, what, when);
        let places = 1..=u32::try_from(others).unwrap_or(u32::MAX);
        let faults: Vec<Fault> = places.map(Fault::Order).collect();
        let chosen = self.choose(order_label(&point), &faults, 0)?;
        self.lasting.record_fault(life, point, faults[chosen]);
        Some(chosen)
    }
}

impl Names {
    /// The name of an instant: `life1/append#3:before`, and `life1/ship.2:pending` for the second
    /// time.
    fn next(&mut self, life: u32, what: &Activity, when: &'static str) -> SmolStr {
        let times = self.0.entry((life, what.clone(), when)).or_default();
        *times += 1;
        match *times {
            1 => format_smolstr!("life{life}/{what}:{when}"),
            again => format_smolstr!("life{life}/{what}.{again}:{when}"),
        }
    }
}

impl Drawn {
    fn choose(&mut self, point: &str, faults: &[Fault]) -> usize {
        if faults.is_empty() {
            return 0;
        }
        self.count += 1;
        let (chosen, most) = (lock(&self.shared).choose_fault(point, faults), faults.len());
        assert!(chosen <= most, "{point}: chose {chosen} among 0..={most}");
        chosen
    }
}

/// The crash point of a power loss at an instant.
fn without_power(point: &str) -> SmolStr {
    format_smolstr!("{point}, power lost")
}
