//! Every edge of a log is an edge of its workflow: the task of the left state may go to the entered
//! state.
//!
//! A task without declared edges may go anywhere.

use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "edges",
    promise: "consecutive entries are edges of the graph",
    kind: Kind::Safety,
    advice: None,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for log in case.logs() {
        for visit in log.visits() {
            let Some(closing) = visit.closed_by else {
                continue;
            };
            let Some((next, task)) = closing.event.entry() else {
                continue;
            };
            let definition = case.definition(closing.life);
            let (from, to) = (
                definition.state_of_label(visit.state),
                definition.state_of_label(next),
            );
            let known = from.and_then(|from| definition.task(from));
            let allowed = known.is_some_and(|known| {
                let edge = known
                    .edges
                    .as_ref()
                    .is_none_or(|edges| to.is_some_and(|to| edges.contains(&to)));
                edge && known.name == *task
            });
            if !allowed {
                return Err(format!(
                    "{task} went from {} to {next}, which is not an edge",
                    visit.state
                ));
            }
        }
    }
    Ok(())
}
