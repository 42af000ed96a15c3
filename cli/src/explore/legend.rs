//! What the columns of an exploration count.

use std::collections::BTreeSet;

use crashpoint_simulator::workload::{CAMPAIGNS, Campaign, Length, Over};
use crashpoint_simulator::{Budget, Repeat, StoreKind, operations};

use crate::explore::SAMPLES;
use crate::explore::report::{Bounds, ExplorationReport, Row};
use crate::text::grouped;

/// Why a workload may have no crash points.
pub(crate) const WHERE_POINTS_COUNT: &str =
    "Crash points are counted where nothing but crashes goes wrong.";

/// What is counted, in words: a paragraph for each thing.
pub(crate) fn legend(report: &ExplorationReport) -> Vec<String> {
    let mut paragraphs = of_workloads(report);
    let operations = report.rows.iter().filter(|row| row.workload().is_none());
    paragraphs.extend(operations.map(|row| of_operations(row, report.is_exhaustive())));
    paragraphs
}

/// The schedules of operations over a store.
fn of_operations(row: &Row, is_exhaustive: bool) -> String {
    let is_in_memory = row.store == StoreKind::Memory;
    let each = match is_in_memory {
        true => "Operations: each two that can meet in a run, in one process and each in its own"
            .to_owned(),
        false => format!(
            "Operations over {}: each two that can meet in a run, in one process and one process after \
             the other",
            row.store
        ),
    };
    let exhausted = match is_exhaustive {
        true => " All these are exhausted.",
        false => "",
    };
    match row.bounds {
        Bounds::Within(budget) => format!("{each}, within {budget}.{exhausted}"),
        Bounds::Crashes(0) => format!("{each}, one after the other."),
        Bounds::Crashes(crashes) => {
            let crashes = match crashes {
                1 => "a crash".to_owned(),
                some => format!("up to {some} crashes"),
            };
            let schedules = match is_in_memory {
                true => format!(
                    "where the second begins at any instant of the first; with a switch back, {crashes}, \
                     or, except for unfinished beside another operation on all runs, a fault of the store"
                ),
                false => format!(
                    "with {crashes} of the process or of the power at each call and before each sync"
                ),
            };
            format!(
                "{each}, {schedules}.{exhausted} Sampled: {} more with up to three operations, within {}.",
                grouped(operations::SAMPLES),
                operations::beyond(row.store)
            )
        }
    }
}

fn of_workloads(report: &ExplorationReport) -> Vec<String> {
    let rows: Vec<&Row> = report
        .rows
        .iter()
        .filter(|row| row.workload().is_some())
        .collect();
    let twice = format!(
        "Run twice: the schedule without faults, those that break a promise, and one in \
         {} of the others, by what they draw.",
        Repeat::ONE_IN
    );
    let Some(first) = rows.first() else {
        return Vec::new();
    };
    if let Bounds::Within(budget) = first.bounds {
        let schedules = match report.is_exhaustive() {
            true => format!("Schedules: all within {budget}, exhausted."),
            false => format!("Schedules: some of those within {budget}."),
        };
        return match rows.iter().all(|row| row.points().1 == 0) {
            true => vec![schedules, WHERE_POINTS_COUNT.to_owned(), twice],
            false => vec![schedules, twice],
        };
    }
    let crashes = first.crashes();
    if crashes == 0 {
        return vec!["Each workload was run once, without a crash.".to_owned()];
    }
    let over = |kind| rows.iter().any(|row| row.store == kind);
    let disk = match over(StoreKind::Redb) {
        true => {
            " Over redb, whose file is on a simulated disk, that is before each write and sync as \
             well, the file's creation included; before each sync also with the power lost, and with \
             it all that was not synced."
        }
        false => "",
    };
    let fewer = match rows.last().is_some_and(|row| row.crashes() < crashes) {
        true => " There each crash came alone; --crashes 2 has two.",
        false => "",
    };
    let budgets: BTreeSet<Budget> = rows.iter().filter_map(|row| row.sampled()).collect();
    let sampled: Vec<String> = budgets.iter().map(Budget::to_string).collect();
    let (upgrades, others): (Vec<&Row>, Vec<&Row>) =
        rows.iter().partition(|row| row.subject.is_upgrade());
    let mut paragraphs = vec![format!(
        "Crash points: {}.{disk}{fewer}",
        crash_points(crashes)
    )];
    if !others.is_empty() {
        paragraphs.push(schedules(&others, report.is_exhaustive()));
    }
    if !upgrades.is_empty() {
        paragraphs.push(OF_UPGRADES.to_owned());
    }
    paragraphs.push(format!(
        "Sampled: {SAMPLES} schedules more of each row, from seeds, with any of it at once, up to {}.",
        sampled.join(" and ")
    ));
    paragraphs.push(twice);
    paragraphs
}

/// The campaigns of upgrades, besides the crashes alone.
const OF_UPGRADES: &str = "Upgrades: the name ends with the releases of the first lives. Over memory, besides crashes: for \
     old-new all with a crash and an attempt that goes wrong, a cancellation or a rival life, and all with two \
     attempts that go wrong; for old-new-old all with a crash and a rival life.";

/// The crash points of schedules with up to this many crashes.
fn crash_points(crashes: u32) -> &'static str {
    match crashes {
        0 | 1 => "each instant at which the process was killed and the run resumed",
        2 => {
            "each instant at which the process was killed, alone and with each instant of the \
             recovery from it; after each kill the run was resumed"
        }
        _ => {
            "each instant at which the process was killed, alone and with up to two more in the \
             recoveries from it; after each the run was resumed"
        }
    }
}

/// The campaigns, by stores and workloads.
fn schedules(rows: &[&Row], is_exhaustive: bool) -> String {
    let over = |store: &StoreKind| rows.iter().any(|row| row.store == *store);
    let each = listed(&abouts(Over::Every, false), "or");
    let more = match over(&StoreKind::Memory) {
        true => {
            let more = listed(&abouts(Over::Memory, false), "and");
            format!("; over memory also each of them with a crash, {more}")
        }
        false => String::new(),
    };
    let is_short = |row: &&&Row| row.workload().is_some_and(|workload| workload.is_short());
    let short: BTreeSet<&str> = rows.iter().filter(is_short).map(|row| row.name()).collect();
    let short = if short.is_empty() {
        String::new()
    } else {
        let stores = [StoreKind::Memory, StoreKind::Redb].into_iter();
        let also = stores.filter(over).flat_map(|store| {
            let short = abouts(Over::only(store), true).into_iter();
            short.map(move |about| format!("over {store} {about}"))
        });
        let (names, also) = (Vec::from_iter(short), Vec::from_iter(also));
        format!(" {}: {}.", names.join(" and "), also.join(", "))
    };
    let exhausted = match is_exhaustive {
        true => " All these are exhausted.",
        false => "",
    };
    format!("Schedules: these, and all with {each}{more}.{short}{exhausted}")
}

/// What the campaigns over these stores are about: those of short workloads alone, or the others.
fn abouts(over: Over, short: bool) -> Vec<&'static str> {
    let is_wanted = |it: &&Campaign| it.over == over && short == (it.length == Some(Length::Short));
    let campaigns = CAMPAIGNS.iter().filter(is_wanted);
    campaigns.map(|campaign| campaign.about).collect()
}

/// `a, b, or c`
fn listed(items: &[&str], last: &str) -> String {
    match items {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., end] => format!("{}, {last} {end}", most.join(", ")),
    }
}
