//! What a store lists after a crash: the runs that have a row. Recovery resumes no other run.

use crate::case::{Case, Session};
use crate::contract::capability::Claim;
use crate::finding::expect::Checked;
use crate::laws::lst::{WHOLE, page, same_ids};

/// Fails if the store claims a listing and does not list, of all runs `ids` of its place, those that have a row.
/// `when` completes the message "a listing ...".
pub(super) async fn lists_its_runs(
    case: &Case,
    store: &Session,
    ids: impl IntoIterator<Item = &str>,
    when: &str,
) -> Checked {
    if !case.subject.claims.contains(&Claim::Listing) {
        return Ok(());
    }
    let mut expected = Vec::new();
    for id in ids {
        if !store.load(id).await?.is_empty() {
            expected.push(id.to_owned());
        }
    }
    expected.sort_unstable();
    let listed = page(store, None, WHOLE).await?;
    same_ids(&format!("a listing {when}"), &expected, &listed)
}
