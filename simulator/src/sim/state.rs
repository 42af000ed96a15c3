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
use crate::history::{Crashes, Entry, History, LifeEnd, Recorder, What, World};
use crate::sim::independence::{Independence, Passed, Repeats, is_independent};
use crate::sim::recovery::{Failing, like};
use crate::sim::runs::NamedLife;
use crate::sim::{
    Activity, Ambient, Instant, Offer, RunOfLife, Settings, SharedChoices, Sim, Survivor,
};

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
    /// The run that gets a rival life as soon as the current life waits.
    pub(crate) rival_wanted: Option<usize>,
    /// Whether the names of instants say the run of the life, because there are several.
    pub(super) names_runs: bool,
    /// The faults that are not offered.
    pub(super) left_out: Arc<LeftOut>,
    /// The survivors of crashes, if crashes are copied and not drawn.
    forks: Option<Forks>,
    /// What an exploration leaves out, if it leaves anything out.
    independence: Option<Independence>,
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
    pub(crate) run_of_life: RunOfLife,
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
            run_of_life: RunOfLife::default(),
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

    /// The events of a run, and those of no life.
    pub(super) fn entries_of(&self, run: usize) -> impl DoubleEndedIterator<Item = &Entry> {
        let entries = self.history.0.iter();
        entries.filter(move |entry| self.run_of_life.concerns(run, entry))
    }

    /// The outcome that the lives of a run returned last.
    pub(super) fn outcome_of(&self, run: usize) -> Option<&LifeEnd> {
        self.history
            .outcome_of(|life| self.run_of_life.of(life) == run)
    }

    /// The last life that was to return an outcome has done so.
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
            rival_wanted: None,
            names_runs: false,
            left_out: Arc::default(),
            forks: None,
            independence: None,
        }
    }

    /// Draws one of these faults or none, and adds the draw to the tape. The faults that are not open
    /// are excluded but keep their numbers. Returns the index of the fault.
    fn choose(
        &mut self,
        label: SmolStr,
        faults: &[Fault],
        is_open: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let open: Vec<usize> = (0..faults.len()).filter(|at| is_open(*at)).collect();
        let chosen = if open.len() == faults.len() {
            self.source.choose(&label, faults).checked_sub(1)
        } else {
            let offered: Vec<Fault> = open.iter().map(|at| faults[*at]).collect();
            let chosen = self.source.choose(&label, &offered).checked_sub(1);
            chosen.map(|chosen| open[chosen])
        };
        let number = chosen.map_or(0, |chosen| chosen + 1);
        self.lasting.draw(label, faults.len() + 1, number);
        chosen
    }

    /// Decides what happens at an instant of `life`. `forked` is the simulation if a crash would
    /// kill all its lives.
    pub(super) fn decide<F: Copy + Into<Fault>>(
        &mut self,
        life: u32,
        instant: &Instant<'_, F>,
        power: Option<&SimDisk>,
        forked: Option<&Sim>,
        now: Duration,
    ) -> Option<Offer<F>> {
        if !self.injecting || self.is_settled() {
            return None;
        }
        assert!(
            (1..=self.lasting.lives).contains(&life),
            "an instant belongs to a life that has begun"
        );
        let point = self
            .passed
            .next(self.named(life), instant.what, instant.when);
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
        let is_over = self.is_over(life) || self.is_recovered();
        let repeats = self.repeats_last(life, &point, instant, now);
        if offers.is_empty() {
            return None;
        }
        let faults: Vec<Fault> = offers.iter().map(|offer| offer.fault()).collect();
        let chosen = if is_over || repeats {
            let is_open = |fault: &Fault| !is_over && !is_independent(*fault);
            self.merge_repeated(&point, faults.iter().filter(|fault| !is_open(fault)));
            self.choose(point.clone(), &faults, |at| is_open(&faults[at]))?
        } else {
            let crashes = forked.map_or(0, |sim| self.fork(sim, life, &point, &faults));
            self.choose(point.clone(), &faults, |at| at >= crashes)?
        };
        self.lasting.record_fault(life, point, faults[chosen]);
        self.note_fault(life, faults[chosen], instant.what, now);
        self.recorder.fired(&self.lasting.crashes);
        Some(offers[chosen])
    }

    /// A life of a run begins. Returns its number.
    pub(crate) fn begin_life(&mut self, run: usize) -> u32 {
        self.lasting.lives += 1;
        self.lasting.run_of_life.push(run);
        self.alive += 1;
        self.lasting.lives
    }

    /// A life as the names of instants say it.
    fn named(&self, life: u32) -> NamedLife {
        let run = self.names_runs.then(|| self.lasting.run_of_life.of(life));
        NamedLife { life, run }
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
        let budget = self.lasting.budget;
        // If nobody can act in the meantime, late is the same as in time.
        let company = self.alive > 1 || budget.has_company();
        let left_out = &self.left_out;
        let is_offered = |fault: Fault| {
            budget.affords(fault) && left_out.permits(fault) && (company || !fault.needs_company())
        };
        let mut offers = Vec::new();
        let mut ambient = |ambient: Ambient| {
            if is_offered(ambient.fault()) {
                offers.push(Offer::Ambient(ambient));
            }
        };
        if instant.crash && self.skip.as_deref() != Some(point) {
            ambient(Ambient::Crash(Crash::Process));
        }
        if power.is_some() {
            ambient(Ambient::Crash(Crash::PowerLoss));
        }
        if instant.others {
            ambient(Ambient::Takeover);
            ambient(Ambient::Cancel);
            ClockFault::KINDS
                .iter()
                .for_each(|clock| ambient(Ambient::Clock(*clock)));
        }
        for fault in instant.faults {
            if is_offered((*fault).into()) {
                offers.push(Offer::Operation(*fault));
            }
        }
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

    /// From now on faults and switches that repeat those of an instant before are not drawn. Those before
    /// the choice `from` were counted before.
    pub(crate) fn leave_out_repeats(&mut self, from: usize) {
        self.independence = Some(Independence::new(from));
    }

    /// How many faults and switches were left out because they repeat others.
    pub(crate) fn repeats(&self) -> Repeats {
        let independence = self.independence.as_ref();
        independence.map_or_else(Repeats::default, Independence::left_out)
    }

    /// An event is recorded.
    pub(super) fn see(&mut self, life: u32, what: &What, now: Duration) {
        if let Some(independence) = &mut self.independence {
            independence.see(life, what, now, !self.lasting.late.is_empty());
        }
    }

    /// A fault has befallen a life.
    fn note_fault(&mut self, life: u32, fault: Fault, what: &Activity, now: Duration) {
        let is_alone = self.alive == 1 && self.rival_wanted.is_none();
        let Some(independence) = &mut self.independence else {
            return;
        };
        if fault == Fault::Takeover {
            independence.gave_turn(life, what, self.lasting.history.0.len());
        }
        let failing = match fault {
            Fault::Store(fault) if is_alone => {
                let other = like(fault).map(Fault::Store);
                Some(Failing {
                    life,
                    at: now,
                    is_like_another: other.is_some_and(|other| self.left_out.permits(other)),
                })
            }
            _ => None,
        };
        independence.fail(failing);
    }

    /// Whether whatever can happen from here on happens in another schedule too, if an exploration makes
    /// use of that.
    fn is_recovered(&self) -> bool {
        let independence = self.independence.as_ref();
        independence.is_some_and(Independence::is_recovered)
    }

    /// Whether all that a life can still do is to be fenced, if an exploration makes use of that.
    fn is_over(&self, life: u32) -> bool {
        let independence = self.independence.as_ref();
        independence.is_some_and(|it| it.is_over(life))
    }

    /// Whether what may go wrong at this instant is the same as at the instant before, if an exploration
    /// leaves that out.
    fn repeats_last<F>(
        &mut self,
        life: u32,
        point: &str,
        instant: &Instant<'_, F>,
        now: Duration,
    ) -> bool {
        let Some(independence) = &mut self.independence else {
            return false;
        };
        let is_open = instant.crash && instant.others && self.skip.as_deref() != Some(point);
        let passed = Passed {
            life,
            is_open,
            is_acting: instant.what.is_acting(),
            now,
            operations: self.lasting.operations,
            entries: self.lasting.history.0.len(),
        };
        independence.pass(passed, &self.lasting.history)
    }

    /// Counts the faults that are left out at an instant, because they repeat those of an instant before.
    fn merge_repeated<'a>(&mut self, point: &SmolStr, faults: impl Iterator<Item = &'a Fault>) {
        let (count, crashes) = (self.source.count, &self.lasting.crashes);
        let Some(independence) = &mut self.independence else {
            return;
        };
        for fault in faults {
            let crashes_left_out = u64::from(fault.is_crash());
            let repeats = Repeats {
                crashes: crashes_left_out,
                others: 1 - crashes_left_out,
            };
            if !independence.leave_out(count, repeats) {
                return;
            }
            if fault.is_crash() {
                let mut crashes = crashes.clone();
                crashes.add(point);
                self.recorder.fired(&crashes);
            }
        }
    }

    /// Whether a switch away from this life has the same consequences as at the last instant at which the
    /// life gave others a turn, if an exploration leaves that out. If so, counts the switches to `others`.
    fn repeats_switch(&mut self, life: u32, what: &Activity, others: usize) -> bool {
        let count = self.source.count;
        let Some(independence) = &mut self.independence else {
            return false;
        };
        let history = &self.lasting.history;
        let repeats = independence.switch_repeats(life, what, history);
        independence.gave_turn(life, what, history.0.len());
        if repeats {
            let repeats = Repeats {
                crashes: 0,
                others: others as u64,
            };
            independence.leave_out(count, repeats);
        }
        repeats
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
        let chosen = self.choose(point.clone(), &faults, |_| true)?;
        self.lasting.record_fault(0, point, faults[chosen]);
        assert!(
            (1..rows - 1).contains(&middle[chosen]),
            "the first row and the last are never lost"
        );
        Some(middle[chosen])
    }

    /// Draws whether one of the lives `others` runs next instead of `first`, when `life` ran last and
    /// waits at an instant. Returns its index. The switch costs budget if `life` is the first.
    pub(crate) fn choose_switch(
        &mut self,
        (life, first): (u32, u32),
        (what, when): (Activity, &'static str),
        others: &[u32],
    ) -> Option<usize> {
        let preempts = life == first;
        if preempts && self.lasting.budget.preemptions == 0 {
            return None;
        }
        let point = self.switched.next(self.named(life), &what, when);
        let faults: Vec<Fault> = others.iter().copied().map(Fault::Switch).collect();
        let repeats = preempts && self.repeats_switch(life, &what, others.len());
        let is_over: Vec<bool> = others.iter().map(|other| self.is_over(*other)).collect();
        let is_first_over = self.is_over(first);
        let is_open = |at: usize| !repeats && !is_first_over && !is_over[at];
        let chosen = self.choose(switch_label(&point), &faults, is_open)?;
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
        let point = self.ordered.next(self.named(life), what, when);
        let places = 1..=u32::try_from(others).unwrap_or(u32::MAX);
        let faults: Vec<Fault> = places.map(Fault::Order).collect();
        let chosen = self.choose(order_label(&point), &faults, |_| true)?;
        self.lasting.record_fault(life, point, faults[chosen]);
        Some(chosen)
    }
}

impl Names {
    /// The name of an instant: `life1/append#3:before`, and `life1/ship.2:pending` for the second
    /// time.
    fn next(&mut self, life: NamedLife, what: &Activity, when: &'static str) -> SmolStr {
        let times = self.0.entry((life.life, what.clone(), when)).or_default();
        *times += 1;
        match *times {
            1 => format_smolstr!("{life}/{what}:{when}"),
            again => format_smolstr!("{life}/{what}.{again}:{when}"),
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
