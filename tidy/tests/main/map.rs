//! The pages of the architecture against the files that there are, both ways.

use std::collections::BTreeSet;

use super::Finding;
use super::rooms::{HOUSES, House};
use super::tables::quoted;

/// The page for the whole. It names every folder of the crates that have no page of their own.
pub(super) const MAP: &str = "ARCHITECTURE.md";

/// Holds a page against the paths of the workspace: the page of a house names every file of its
/// sources, and the map every folder elsewhere but those of tests.
pub(super) fn check(house: Option<&House>, text: &str, paths: &[&str]) -> Vec<Finding> {
    let page = house.map_or(MAP, |house| house.page);
    let mut findings = Vec::new();
    let mut mapped = BTreeSet::new();
    for (index, line) in text.lines().enumerate() {
        for token in quoted(line).filter(|token| is_path(token)) {
            let below = house.map(|house| format!("{}{token}", house.source));
            let mut places = below.into_iter().chain([token.to_owned()]);
            if let Some(place) = places.find(|place| exists(place, paths)) {
                mapped.insert(place);
            } else {
                let message = format!("`{token}` does not exist");
                findings.push(Finding::new(page, index + 1, message));
            }
        }
    }
    let sources = paths.iter().filter(|path| path.ends_with(".rs"));
    for path in sources.filter(|path| !path.contains("/tests/")) {
        let room = match house {
            Some(house) if is_of(house, path) => path,
            None if !HOUSES.iter().any(|house| is_of(house, path)) => folder_of(path),
            _ => continue,
        };
        // Once for each folder, however many files are in it.
        if mapped.insert(room.to_owned()) {
            let message = format!("{page} does not name `{room}`");
            findings.push(Finding::new(path, 1, message));
        }
    }
    findings
}

fn is_of(house: &House, path: &str) -> bool {
    let mut sources = [Some(house.source), house.annex].into_iter().flatten();
    sources.any(|source| path.starts_with(source))
}

fn folder_of(path: &str) -> &str {
    path.rfind('/').map_or("", |slash| &path[..=slash])
}

/// Whether a quoted text is a Rust file or a folder, not a bit of code.
fn is_path(token: &str) -> bool {
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || "_-./".contains(character);
    token.chars().all(is_plain) && (token.ends_with(".rs") || token.ends_with('/'))
}

fn exists(place: &str, paths: &[&str]) -> bool {
    if place.ends_with('/') {
        paths.iter().any(|path| path.starts_with(place))
    } else {
        paths.contains(&place)
    }
}

const PATHS: [&str; 8] = [
    "engine/src/lib.rs",
    "engine/src/core/life.rs",
    "engine/macros/src/state.rs",
    "simulator/src/lib.rs",
    "fuzz/src/lib.rs",
    "fuzz/src/logs.rs",
    "fuzz/tests/main/main.rs",
    "README.md",
];

#[test]
fn a_file_that_the_page_of_its_crate_does_not_name_is_found() {
    let engine = Some(&HOUSES[0]);
    let whole = "`lib.rs` `core/life.rs` and `core/`\n`engine/macros/src/state.rs`, `a/b`, \
                 `simulator/src/`, `Fn() -> u8`\n";
    assert_eq!(check(engine, whole, &PATHS), []);

    let stale = format!("{whole}`core/death.rs`\n");
    let page = HOUSES[0].page;
    assert_eq!(
        check(engine, &stale, &PATHS),
        [Finding::new(page, 3, "`core/death.rs` does not exist")]
    );
    // A file needs its own name: that of its folder is not enough.
    let missing = whole.replace("`core/life.rs`", "life.rs");
    let message = format!("{page} does not name `engine/src/core/life.rs`");
    assert_eq!(
        check(engine, &missing, &PATHS),
        [Finding::new("engine/src/core/life.rs", 1, message)]
    );
    let missing = whole.replace("`engine/macros/src/state.rs`", "");
    assert_eq!(check(engine, &missing, &PATHS).len(), 1);
}

#[test]
fn a_folder_that_the_map_does_not_name_is_found() {
    let whole = "`fuzz/src/` and `engine/src/core/life.rs`\n";
    assert_eq!(check(None, whole, &PATHS), []);
    let message = "ARCHITECTURE.md does not name `fuzz/src/`";
    assert_eq!(
        check(None, "", &PATHS),
        [Finding::new("fuzz/src/lib.rs", 1, message)]
    );
    // On the map a path begins at the root.
    assert_eq!(
        check(None, &format!("{whole}`core/life.rs`\n"), &PATHS),
        [Finding::new(MAP, 2, "`core/life.rs` does not exist")]
    );
}
