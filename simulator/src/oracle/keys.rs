//! Within a run an action has the same key in every life. No other action has that key, in this run
//! or another run of the same id.

use std::collections::BTreeMap;

use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "keys",
    promise: "an idempotency key is the same for the same action, and for no other",
    kind: Kind::Safety,
    advice: Some(
        "keep the name of the task: its idempotency key is made of it, so a receiver takes the request of a renamed \
         task for a new request",
    ),
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    let mut by_action = BTreeMap::new();
    let mut by_key = BTreeMap::new();
    let mut by_effect = BTreeMap::new();
    for (place, life, effect) in case.history().effects() {
        let run = case.run_id_at(place);
        let (task, key) = (&effect.task, &effect.key);
        let action = (run, task, effect.direction, effect.visit, effect.step);
        if key.is_empty() || key.len() > 64 || !key.is_ascii() {
            return Err(format!(
                "the key of {task} is not 1..=64 ASCII characters: {key:?}"
            ));
        }
        if *by_action.entry(action).or_insert(key) != key {
            return Err(format!("life {life} has another key for {task}"));
        }
        // A new release may have renamed the task of a visit, which the old release had begun.
        let request = (
            run,
            &effect.name,
            effect.direction,
            effect.visit,
            effect.step,
        );
        let (first, known) = *by_effect.entry(request).or_insert((task, key));
        if known != key {
            let name = &effect.name;
            return Err(format!(
                "life {life} repeats {name} under another key: the task {first} has become {task}"
            ));
        }
        if *by_key.entry(key).or_insert(action) != action {
            return Err(format!(
                "life {life} has a key for {task} that another action has"
            ));
        }
    }
    Ok(())
}
