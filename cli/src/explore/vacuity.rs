//! `crashpoint vacuity`: checks the checks. A fault that never fires, a crash point that is never
//! reached or an oracle that catches no mutant proves nothing.

use std::io::Write;

use crashpoint_simulator::vacuity::{Table, WITNESSES};
use crashpoint_simulator::{Budget, Settings, explore as explore_alone, workload};

use crate::arguments::{ExploreArguments, VacuityArguments};
use crate::exit::{Exit, Failure};
use crate::explore;
use crate::text::{fitted, wrapped};

/// A workload and budget in which the store breaks its contract, which no exploration has.
const BREACHES: (&str, &str) = ("order", "c1b1");

pub(crate) fn run(arguments: &VacuityArguments, out: &mut impl Write) -> Result<Exit, Failure> {
    let VacuityArguments {
        workload,
        store,
        jobs,
    } = arguments;
    let report = explore::run_schedules(&ExploreArguments {
        workload: workload.clone(),
        store: store.clone(),
        jobs: *jobs,
        ..ExploreArguments::default()
    })?;
    let mut table = Table::of(WITNESSES);
    for row in &report.rows {
        table.add(row.name(), row.store, &row.findings);
    }
    let (name, breaches) = BREACHES;
    let subject = workload::named(name).expect("it is built in");
    let breaches: Budget = breaches.parse().expect("it is a budget");
    table.add_faults(&explore_alone(&subject, &Settings::within(breaches)));
    table.add_services();
    table.add_embedded();
    table.add_broken_operations();
    table.add_broken_upgrades();
    writeln!(out, "{}", fitted(&table.to_string()))?;
    writeln!(out, "{}", wrapped(&report.coverage()))?;
    for caveat in report.caveats() {
        writeln!(out, "{caveat}")?;
    }
    writeln!(out, "{}", report.verdict())?;
    let zeros = table.zeros();
    for zero in &zeros {
        writeln!(out, "ZERO: {zero}")?;
    }
    if zeros.is_empty() {
        writeln!(out, "no zero: every check was seen working")?;
        return Ok(report.exit());
    }
    Ok(report.exit().max(Exit::Harness))
}
