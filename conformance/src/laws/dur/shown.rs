//! What a load has shown stays: it shows no row whose sync is still to come.

use super::killed::judge_at;
use crate::case::Case;
use crate::child::traced::{Shown, hold_syncs};
use crate::child::{Role, Running, SHOWN};
use crate::finding::expect::{Checked, broken, quote, rows_in_words};

pub(crate) fn dur_17_a_load_shows_only_what_is_synced(case: &Case) -> Checked {
    let (place, stash) = (case.another_place()?, case.another_place()?);
    let running = Running::start(case, Role::LoadsBesideAppends, &place)?;
    for Shown { image, rows, call } in hold_syncs(running, &place, stash.path())? {
        if rows == 0 {
            continue;
        }
        let after = format!("a power loss while the {call} of a child was under way");
        judge_at(case, &image, &after, async |store| {
            let left = store.load(SHOWN).await?.len() as u64;
            if left >= rows {
                return Ok(());
            }
            let id = quote(SHOWN);
            let (shown, left) = (rows_in_words(rows), rows_in_words(left));
            Err(broken(format!(
                "run {id} after {after}: expected {shown}, as a load had shown meanwhile, got {left}"
            )))
        })?;
    }
    Ok(())
}
