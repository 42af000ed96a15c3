//! Listing: the ids of the runs that have a row, in order, page by page.

use crate::case::{Blame, Case, Session};
use crate::contract::capability::Claim;
use crate::finding::expect::{Checked, Failure, broken, failed, quote, row, rows};

/// A page that has room for every id of a law.
pub(in crate::laws) const WHOLE: usize = 1_000;

/// One page of the listing.
pub(in crate::laws) async fn page(
    store: &Session,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<String>, Failure> {
    store.step(Blame::Store, "a listing of runs");
    let Some(listing) = store.store().as_listing() else {
        return Err(broken(
            "the store claims a listing: expected Some from `as_listing`, got None",
        ));
    };
    let listed = listing.run_ids(after, limit).await;
    listed.map_err(|error| failed(&format!("a listing after {after:?}"), &error))
}

/// Fails unless `got` is `expected`, and names the first difference.
pub(in crate::laws) fn same_ids(what: &str, expected: &[String], got: &[String]) -> Checked {
    if expected == got {
        return Ok(());
    }
    let differs = expected
        .iter()
        .zip(got)
        .position(|(one, other)| one != other);
    let index = differs.unwrap_or_else(|| expected.len().min(got.len()));
    let at = |ids: &[String]| ids.get(index).map_or("no id".to_owned(), |id| quote(id));
    let (counts, at) = ((expected.len(), got.len()), (at(expected), at(got)));
    Err(broken(format!(
        "{what}: expected {} ids with {}, got {} with {} at position {index}",
        counts.0, at.0, counts.1, at.1
    )))
}

/// Ids whose order by bytes differs from their order of arrival, by length, by case and by number.
const UNORDERED: [&str; 16] = [
    "order-2",
    "order-10",
    "order-1",
    "b",
    "B",
    "a",
    "aa",
    "a/b",
    "a b",
    "~",
    "%",
    "10",
    "9",
    "\u{e9}",
    "e\u{301}",
    "\u{1f680}",
];

pub(crate) async fn lst_01_every_run_is_listed_in_order(case: &Case) -> Checked {
    let store = case.open().await?;
    same_ids(
        "a listing of an empty place",
        &[],
        &page(&store, None, WHOLE).await?,
    )?;
    let mut expected: Vec<String> = UNORDERED.map(str::to_owned).to_vec();
    for id in UNORDERED {
        store.append(id, &row(0)).await?;
    }
    for id in ["order-2", "a", "\u{1f680}"] {
        store.append_all(id, &rows(1..4)).await?;
    }
    // ISO-11: the empty id is an id, or is refused.
    if store.try_append("", row(0)).await.is_ok() {
        expected.push(String::new());
    }
    expected.sort_unstable();
    let what = "a listing of ids that arrived in another order";
    same_ids(what, &expected, &page(&store, None, WHOLE).await?)
}

/// Ids of the laws about pages.
fn numbered(number: usize) -> String {
    format!("run {number:02}")
}

const IDS: usize = 25;

pub(crate) async fn lst_02_pages_end_where_they_say(case: &Case) -> Checked {
    let store = case.open().await?;
    let ids: Vec<String> = (0..IDS).map(numbered).collect();
    for id in &ids {
        store.append(id, &row(0)).await?;
    }
    for limit in [1, 2, 7, IDS - 1, IDS, IDS + 1] {
        let mut listed: Vec<String> = Vec::new();
        loop {
            let got = page(&store, listed.last().map(String::as_str), limit).await?;
            let end = ids.len().min(listed.len() + limit);
            let what = format!("a page of {limit} ids after {:?}", listed.last());
            same_ids(&what, &ids[listed.len()..end], &got)?;
            listed.extend(got);
            if listed.len() == ids.len() {
                break;
            }
        }
    }
    let last = numbered(IDS - 1);
    same_ids(
        "a page after the last id",
        &[],
        &page(&store, Some(&last), 7).await?,
    )?;
    let got = page(&store, Some("run 03 and a half"), 2).await?;
    same_ids("a page after an id that no run has", &ids[4..6], &got)?;
    same_ids("a page of no ids", &[], &page(&store, None, 0).await?)?;
    let got = page(&store, None, usize::MAX).await?;
    same_ids("a page of as many ids as `usize` has", &ids, &got)
}

pub(crate) async fn lst_03_a_run_without_rows_is_not_listed(case: &Case) -> Checked {
    let store = case.open().await?;
    for id in ["kept", "cleared", "again"] {
        store.append_all(id, &rows(0..2)).await?;
    }
    store.load("loaded").await?;
    store.clear("never there").await?;
    // DUP-01 checks that this is rejected.
    let _ = store.try_append("kept", row(0)).await;
    store.clear("cleared").await?;
    store.clear("again").await?;
    let got = page(&store, None, WHOLE).await?;
    same_ids("a listing after two clears", &["kept".to_owned()], &got)?;
    store.append("again", &row(0)).await?;
    let expected = ["again", "kept"].map(str::to_owned);
    let got = page(&store, None, WHOLE).await?;
    same_ids("a listing after a run has begun again", &expected, &got)?;
    if !case.subject.claims.contains(&Claim::Reopen) {
        return Ok(());
    }
    let store = case.reopen(store).await?;
    let got = page(&store, None, WHOLE).await?;
    same_ids("a listing after reopening", &expected, &got)
}

pub(crate) async fn lst_04_paging_misses_no_run_that_stays(case: &Case) -> Checked {
    const LIMIT: usize = 4;
    let store = case.open().await?;
    // Each third run stays; of the others some go and some come, before the page and behind it.
    let stays = |number: &usize| number.is_multiple_of(3);
    for number in (0..IDS).filter(|number| stays(number) || number % 3 == 1) {
        store.append(&numbered(number), &row(0)).await?;
    }
    let mut listed: Vec<String> = Vec::new();
    for change in 0..IDS {
        let got = page(&store, listed.last().map(String::as_str), LIMIT).await?;
        let is_last = got.len() < LIMIT;
        listed.extend(got);
        if !listed.is_sorted_by(|one, next| one < next) {
            return Err(broken(format!(
                "pages of {LIMIT} ids while runs come and go: expected ascending ids, each once, got \
                 {listed:?}"
            )));
        }
        if is_last {
            let staying = (0..IDS).filter(stays).map(numbered);
            let missing: Vec<String> = staying.filter(|id| !listed.contains(id)).collect();
            if missing.is_empty() {
                return Ok(());
            }
            return Err(broken(format!(
                "pages of {LIMIT} ids while runs come and go: expected every run that stayed, got none of \
                 {missing:?}"
            )));
        }
        for goes in [change * 3 + 1, IDS - 1 - change * 3]
            .iter()
            .filter(|goes| !stays(goes))
        {
            store.clear(&numbered(*goes)).await?;
        }
        // Not with each page, so that those who come do not make up for those who go.
        let comes = change * 6 + 2;
        if change % 2 == 1 && comes < IDS {
            store.append(&numbered(comes), &row(0)).await?;
        }
    }
    Err(broken(format!(
        "pages of {LIMIT} ids: expected the last of {IDS} ids within {IDS} pages, got {listed:?}"
    )))
}
