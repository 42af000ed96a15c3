//! In an upgrade a release refuses a log only where the upgrade permits it: the new release in the states
//! that it names, and the old release unless the upgrade can be undone.
//!
//! An upgrade test judges the refusals of all its schedules together, and is not asked here.

use crate::oracle::{Case, Kind, Oracle};
use crate::sim::resumptions;

pub(super) const ORACLE: Oracle = Oracle {
    name: "releases-carry-logs",
    promise: "each release carries the logs of the other, except where the upgrade permits a refusal",
    kind: Kind::Safety,
    advice: Some(
        "accept the version of the other release, keep its states and tasks or give them an alias, and let it read the outputs; or permit the refusal, and keep a worker of the other release for these runs",
    ),
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    let workload = case.workload();
    let upgrade = workload.upgrade.as_ref();
    let Some(permitted) = upgrade.and_then(|it| it.permitted.as_ref()) else {
        return Ok(());
    };
    let resumptions = resumptions(workload, case.history());
    let mut objections = resumptions.iter().filter(|(_, it)| !permitted.permit(it));
    let Some((log, resumption)) = objections.next() else {
        return Ok(());
    };
    let (life, by, place) = (log.life, resumption.by, &resumption.place);
    let (version, refused) = (resumption.version, &resumption.refused);
    let why = refused
        .as_ref()
        .map_or_else(String::new, ToString::to_string);
    Err(format!(
        "life {life}, of the {by} release, refuses a run of version {version} that is {place}: {why}"
    ))
}
