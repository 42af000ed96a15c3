//! Which room of a crate may name which, as the tables of its page say it.
//!
//! A room is a folder, or a file beside `lib.rs`. A table of rooms has the columns `room` and
//! `may name`, from the bottom to the top: its rows are the only place where this is written down.
//! A room may name rows above its own, so every arrow between rooms points down.

use std::collections::BTreeSet;

use super::imports::{Imports, circles};
use super::tables::{quoted, rows};
use super::{File, Finding};

/// A crate and the page that lists its rooms and its files.
#[derive(Debug, Clone, Copy)]
pub(super) struct House {
    pub(super) page: &'static str,
    /// Its sources. Paths on the page begin here, or at the root of the repository.
    pub(super) source: &'static str,
    /// A smaller crate on the same page, without a table of rooms.
    pub(super) annex: Option<&'static str>,
    /// How many files may stand beside `lib.rs`, outside of every folder.
    loose_max: usize,
}

pub(super) const HOUSES: &[House] = &[
    House {
        page: "docs/architecture/engine.md",
        source: "engine/src/",
        annex: Some("engine/macros/src/"),
        loose_max: 6,
    },
    House {
        page: "docs/architecture/simulator.md",
        source: "simulator/src/",
        annex: Some("simulator/protocol/src/"),
        loose_max: 2,
    },
    House {
        page: "docs/architecture/cli.md",
        source: "cli/src/",
        annex: None,
        loose_max: 2,
    },
    House {
        page: "docs/architecture/conformance.md",
        source: "conformance/src/",
        annex: None,
        loose_max: 2,
    },
];

/// A row of a table.
#[derive(Debug)]
struct Room<'a> {
    line: usize,
    /// Relative to the sources: `sim/lane/`, `error.rs`.
    places: Vec<&'a str>,
    may_name: May<'a>,
}

/// What a room may name of the rows above it.
#[derive(Debug)]
enum May<'a> {
    All,
    /// All rooms but these.
    AllBut(Vec<&'a str>),
    /// These.
    Only(Vec<&'a str>),
}

impl<'a> May<'a> {
    fn of(cell: &'a str) -> Self {
        let named = quoted(cell).map(plain).collect();
        if cell.starts_with("the rooms above but") {
            Self::AllBut(named)
        } else if cell.starts_with("the rooms above") {
            Self::All
        } else {
            Self::Only(named)
        }
    }
}

/// A room's name without what says whether it is a folder or a file.
fn plain(place: &str) -> &str {
    let place = place.strip_suffix('/').unwrap_or(place);
    place.strip_suffix(".rs").unwrap_or(place)
}

/// The rooms of a house, from the bottom to the top.
fn rooms<'a>(page: &'a str) -> Vec<Room<'a>> {
    let rows = rows(page, &["room", "may name"]).into_iter();
    let rooms = rows.map(|row| Room {
        line: row.line,
        places: quoted(row.cells[0]).collect(),
        may_name: May::of(row.cells[1]),
    });
    rooms.collect()
}

/// Rows of a table that name a room which does not stand above them.
fn check_order(house: &House, rooms: &[Room<'_>]) -> Vec<Finding> {
    let mut above: BTreeSet<&str> = BTreeSet::new();
    let mut findings = Vec::new();
    for room in rooms {
        let (May::AllBut(named) | May::Only(named)) = &room.may_name else {
            above.extend(room.places.iter().map(|place| plain(place)));
            continue;
        };
        for name in named.iter().filter(|name| !above.contains(**name)) {
            let message = format!("the room `{name}` does not stand above {}", room.places[0]);
            findings.push(Finding::new(house.page, room.line, message));
        }
        above.extend(room.places.iter().map(|place| plain(place)));
    }
    findings
}

/// The row that a file belongs to: the one with the longest place that it lies in.
fn row_of<'a>(rooms: &[Room<'a>], file: &str) -> Option<(usize, &'a str)> {
    let places = rooms.iter().enumerate();
    let places = places.flat_map(|(row, room)| room.places.iter().map(move |place| (row, *place)));
    let places = places.filter(|(_, place)| file.starts_with(place));
    places.max_by_key(|(_, place)| place.len())
}

/// What the sources of a house do against its table.
pub(super) fn check(house: &House, page: &str, files: &[File]) -> Vec<Finding> {
    let rooms = rooms(page);
    let mut findings = check_order(house, &rooms);
    let inside = files
        .iter()
        .filter_map(|file| file.path.strip_prefix(house.source));
    let inside: Vec<&str> = inside
        .filter(|path| path.ends_with(".rs") && !is_face(path))
        .collect();
    let loose = inside.iter().filter(|path| !path.contains('/')).count();
    if loose > house.loose_max {
        let (source, most) = (house.source, house.loose_max);
        let message = format!("{loose} files stand beside lib.rs in {source}, at most {most} may");
        findings.push(Finding::new(house.page, 1, message));
    }
    for file in &inside {
        if row_of(&rooms, file).is_none() {
            let path = format!("{}{file}", house.source);
            let message = format!("no table of rooms in {} has it", house.page);
            findings.push(Finding::new(&path, 1, message));
        }
    }
    for arrow in Imports::of(house.source, files).arrows() {
        if is_face(&arrow.from) || is_face(&arrow.to) {
            continue;
        }
        let (from, to) = (row_of(&rooms, &arrow.from), row_of(&rooms, &arrow.to));
        let (Some((row, from)), Some((to_row, to))) = (from, to) else {
            continue;
        };
        if from == to || is_within(from, to) || is_within(to, from) {
            continue;
        }
        let name = plain(to);
        let allowed = match &rooms[row].may_name {
            May::All => true,
            May::AllBut(named) => !named.contains(&name),
            May::Only(named) => named.contains(&name),
        };
        if to_row >= row || !allowed {
            let path = format!("{}{}", house.source, arrow.from);
            let message = format!("{from} may not name {}", arrow.to);
            findings.push(Finding::new(&path, arrow.line, message));
        }
    }
    findings
}

/// `lib.rs` lists the names of every room, and `main.rs` calls one.
fn is_face(file: &str) -> bool {
    matches!(file, "lib.rs" | "main.rs")
}

/// Whether a folder lies in another one.
fn is_within(place: &str, folder: &str) -> bool {
    folder.ends_with('/') && place.starts_with(folder)
}

/// Rooms whose files may name each other: a simulated process hands out its views (store, disk,
/// observer, runtime), and each view asks its process who acts next.
const WEBS: &[&str] = &["sim/"];

/// Circles of files. A parent and its children may name each other: they are one module.
pub(super) fn check_circles(source: &str, files: &[File]) -> Vec<Finding> {
    let mut arrows = Imports::of(source, files).arrows();
    arrows.retain(|arrow| {
        !is_face(&arrow.from)
            && !is_parent(&arrow.from, &arrow.to)
            && !is_parent(&arrow.to, &arrow.from)
    });
    let is_web = |circle: &BTreeSet<&str>| {
        WEBS.iter()
            .any(|web| circle.iter().all(|file| file.starts_with(web)))
    };
    let circles = circles(&arrows)
        .into_iter()
        .filter(|circle| !is_web(circle));
    let findings = circles.map(|circle| {
        let files: Vec<&str> = circle.into_iter().collect();
        let path = format!("{source}{}", files[0]);
        Finding::new(
            &path,
            1,
            format!("files name each other in a circle: {}", files.join(", ")),
        )
    });
    findings.collect()
}

/// Whether a file is the module of which another file's module is a descendant.
fn is_parent(file: &str, other: &str) -> bool {
    let folder = file.strip_suffix("mod.rs").map(str::to_owned);
    let folder = folder.unwrap_or_else(|| format!("{}/", file.trim_end_matches(".rs")));
    other.starts_with(&folder)
}

const PAGE: &str = "| room | may name | never |\n|---|---|---|\n\
    | `loose.rs` | nothing of ours | |\n| `low/` | the rooms above | |\n\
    | `high/`, `side/` | the rooms above | |\n| `high/in/` | `low` | |\n\
    | `top/` | the rooms above but `low` | |\n";

const HOUSE: House = House {
    page: "MAP.md",
    source: "x/src/",
    annex: None,
    loose_max: 1,
};

fn files_of(files: &[(&str, &str)]) -> Vec<File> {
    let file = |(path, text): &(&str, &str)| File {
        path: format!("x/src/{path}"),
        text: (*text).to_owned(),
    };
    files.iter().map(file).collect()
}

#[test]
fn a_room_that_names_what_it_may_not_is_found() {
    let cases = [
        (
            "low/mod.rs",
            "use crate::high::A;\n",
            Some("low/ may not name high/mod.rs"),
        ),
        (
            "low/mod.rs",
            "use super::high::A;\n",
            Some("low/ may not name high/mod.rs"),
        ),
        ("low/mod.rs", "use crate::loose::A;\n", None),
        (
            "high/mod.rs",
            "use crate::low::A;\nuse crate::high::inner;\n",
            None,
        ),
        (
            "high/mod.rs",
            "\nuse crate::{low::A, side::B};\n",
            Some("high/ may not name side/mod.rs"),
        ),
        (
            "high/in/mod.rs",
            "use crate::high::A;\nuse crate::low::B;\n",
            None,
        ),
        (
            "high/in/mod.rs",
            "use crate::loose::A;\n",
            Some("high/in/ may not name loose.rs"),
        ),
        ("top/mod.rs", "use crate::high::A;\n", None),
        (
            "top/mod.rs",
            "use crate::low::A;\n",
            Some("top/ may not name low/mod.rs"),
        ),
        (
            "loose.rs",
            "use crate::low::A;\n",
            Some("loose.rs may not name low/mod.rs"),
        ),
    ];
    for (path, text, expected) in cases {
        let names = [
            "lib.rs",
            "loose.rs",
            "low/mod.rs",
            "high/mod.rs",
            "high/in/mod.rs",
            "side/mod.rs",
            "top/mod.rs",
        ];
        let mut made: Vec<(&str, &str)> = names.iter().map(|name| (*name, "")).collect();
        made.retain(|(name, _)| *name != path);
        made.push((path, text));
        let findings = check(&HOUSE, PAGE, &files_of(&made));
        let messages: Vec<&str> = findings.iter().map(|it| it.message.as_str()).collect();
        assert_eq!(messages, Vec::from_iter(expected), "{path}: {text}");
    }
}

#[test]
fn a_file_without_a_room_and_a_second_loose_one_are_found() {
    let files = files_of(&[("lib.rs", ""), ("attic/mod.rs", ""), ("loose.rs", "")]);
    let findings = check(&HOUSE, PAGE, &files);
    let expected = "no table of rooms in MAP.md has it";
    assert_eq!(findings, [Finding::new("x/src/attic/mod.rs", 1, expected)]);
    let page = PAGE.replace("`loose.rs`", "`loose.rs`, `more.rs`");
    let files = files_of(&[("loose.rs", ""), ("more.rs", "")]);
    assert_eq!(check(&HOUSE, &page, &files).len(), 1);
}

#[test]
fn a_table_that_is_no_order_is_found() {
    let page = PAGE.replace("| `low/` | the rooms above |", "| `low/` | `top` |");
    let expected = "the room `top` does not stand above low/";
    assert_eq!(
        check(&HOUSE, &page, &[]),
        [Finding::new("MAP.md", 4, expected)]
    );
}

#[test]
fn a_circle_of_files_is_found() {
    let circle = |one: &str, other: &str, back: &str| {
        let text = format!(
            "use crate::{};\n",
            other.replace(".rs", "::A").replace('/', "::")
        );
        let back = format!("use crate::{back};\n");
        check_circles(
            "x/src/",
            &files_of(&[
                ("a/mod.rs", ""),
                ("b/mod.rs", ""),
                ("a/b/mod.rs", ""),
                (one, &text),
                (other, &back),
            ]),
        )
        .len()
    };
    assert_eq!(circle("a/one.rs", "b/two.rs", "a::one::B"), 1);
    assert_eq!(circle("a.rs", "b/two.rs", "a::B"), 1);
    assert_eq!(circle("a/one.rs", "a/two.rs", "a::one::B"), 1);
    assert_eq!(circle("a/one.rs", "a/b/two.rs", "a::one::B"), 1);
    // The face of a folder and a file in it.
    assert_eq!(circle("a/mod.rs", "a/two.rs", "a::B"), 0);
    assert_eq!(circle("a/one.rs", "b/two.rs", "c::B"), 0);
}
