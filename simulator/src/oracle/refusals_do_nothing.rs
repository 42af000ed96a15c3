//! A refused life has sent no row, begun no action and cleared nothing. Once the log has lost a
//! row, every life is refused.

use crate::fault::{Breach, Fault};
use crate::history::{Entry, LifeEnd, What};
use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "refusals-do-nothing",
    promise: "a log that is corrupt or does not match is left alone",
    kind: Kind::Safety,
    advice: None,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    let refused = case
        .history()
        .returned()
        .filter(|(_, _, end)| matches!(end, LifeEnd::Refused(_)));
    for (_, life, _) in refused {
        if let Some(action) = case
            .history()
            .0
            .iter()
            .find(|entry| entry.life == life && acts(entry) && !is_in_vain(case, entry))
        {
            return Err(format!("life {life} was refused, but {}", in_words(action)));
        }
    }
    let lost = case
        .history()
        .faults()
        .find(|(_, _, fired)| matches!(fired.fault, Fault::Breach(Breach::LostRow(_))));
    let Some((place, _, _)) = lost else {
        return Ok(());
    };
    match case.history().0[place..].iter().find(|entry| acts(entry)) {
        Some(action) => Err(format!(
            "life {} continued with a corrupt log: {}",
            action.life,
            in_words(action)
        )),
        None => Ok(()),
    }
}

/// Whether another life's row took the place of a sent row: the life lost a race, and read the log
/// that refused it afterwards.
fn is_in_vain(case: &Case<'_>, entry: &Entry) -> bool {
    let What::Sent(sent) = &entry.what else {
        return false;
    };
    let landed = case.history().landed();
    let mut writers = landed.filter(|(_, _, row)| row.sequence == sent.sequence);
    let is_taken = writers
        .next()
        .is_some_and(|(_, life, _)| life != entry.life);
    is_taken && writers.all(|(_, life, _)| life != entry.life)
}

fn acts(entry: &Entry) -> bool {
    matches!(entry.what, What::Sent(_) | What::Started(_) | What::Cleared)
}

fn in_words(entry: &Entry) -> String {
    match &entry.what {
        What::Sent(row) => format!("it sent row {}", row.sequence),
        What::Started(attempt) => format!("it began {}", attempt.task),
        _ => "it cleared".to_owned(),
    }
}
