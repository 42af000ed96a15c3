//! ARCHITECTURE.md against the files that there are.

use std::collections::BTreeSet;

use super::Finding;

const MAP: &str = "ARCHITECTURE.md";

/// Where the map names every file; elsewhere it names every folder, but those of tests.
const BY_FILE: &[&str] = &["engine/src/", "engine/macros/src/"];

/// Holds the map against the paths of the workspace, both ways.
pub(super) fn check(map: &str, paths: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut mapped = BTreeSet::new();
    for (index, line) in map.lines().enumerate() {
        for token in quoted(line).filter(|token| is_path(token)) {
            let places = places(token);
            let found = places.iter().find(|place| exists(place, paths));
            match found {
                Some(place) => _ = mapped.insert(place.clone()),
                None => {
                    let message = format!("`{token}` is not there");
                    findings.push(Finding::new(MAP, index + 1, message));
                }
            }
        }
    }
    let rust = paths.iter().filter(|path| path.ends_with(".rs"));
    for path in rust.filter(|path| !path.contains("/tests/")) {
        let by_file = BY_FILE.iter().any(|folder| path.starts_with(folder));
        let room = if by_file { path } else { folder_of(path) };
        // Said once for each room, however many files are in it.
        if mapped.insert(room.to_owned()) {
            let message = format!("`{room}` is not in {MAP}");
            findings.push(Finding::new(path, 1, message));
        }
    }
    findings
}

fn folder_of(path: &str) -> &str {
    path.rfind('/').map_or("", |slash| &path[..=slash])
}

/// The texts between single backticks.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Whether a quoted text is a Rust file or a folder, not a bit of code.
fn is_path(token: &str) -> bool {
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || "_-./".contains(character);
    token.chars().all(is_plain) && (token.ends_with(".rs") || token.ends_with('/'))
}

/// Where a path of the map may lie: at the root, or in one of the folders mapped by file.
fn places(token: &str) -> Vec<String> {
    let below = BY_FILE.iter().map(|folder| format!("{folder}{token}"));
    std::iter::once(token.to_owned()).chain(below).collect()
}

fn exists(place: &str, paths: &[&str]) -> bool {
    if place.ends_with('/') {
        paths.iter().any(|path| path.starts_with(place))
    } else {
        paths.contains(&place)
    }
}

#[test]
fn the_map_and_the_files_are_held_against_each_other() {
    let paths = [
        "engine/src/lib.rs",
        "engine/src/core/life.rs",
        "engine/macros/src/state.rs",
        "simulator/src/lib.rs",
        "simulator/tests/main/main.rs",
        "README.md",
    ];
    let whole = "`lib.rs` `core/life.rs` and `core/`\n`engine/macros/src/state.rs`, \
                 `simulator/src/`, `a/b`, `Fn() -> u8`\n";
    assert_eq!(check(whole, &paths), []);

    let stale = format!("{whole}`core/death.rs`\n");
    assert_eq!(
        check(&stale, &paths),
        [Finding::new(MAP, 3, "`core/death.rs` is not there")]
    );
    let missing = whole.replace("`core/life.rs`", "life.rs");
    assert_eq!(
        check(&missing, &paths),
        [Finding::new(
            "engine/src/core/life.rs",
            1,
            "`engine/src/core/life.rs` is not in ARCHITECTURE.md"
        )]
    );
    let without_folder = whole.replace("`simulator/src/`", "simulator");
    assert_eq!(
        check(&without_folder, &paths),
        [Finding::new(
            "simulator/src/lib.rs",
            1,
            "`simulator/src/` is not in ARCHITECTURE.md"
        )]
    );
    let mut deeper = paths.to_vec();
    deeper.extend([
        "simulator/src/oracle/fence.rs",
        "simulator/src/oracle/order.rs",
    ]);
    assert_eq!(check(whole, &deeper).len(), 1);
}
