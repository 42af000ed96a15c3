//! Which room of a crate may name which, as the tables of the map say it.
//!
//! A room is a folder, or a file beside `lib.rs`. A table of rooms has the columns `room` and
//! `may name`, from the bottom to the top: its rows are the only place where this is written down.

use std::collections::BTreeSet;

use super::imports::{Imports, circles};
use super::tables::{quoted, rows};
use super::{File, Finding};

/// A crate whose rooms a page of the map lists.
pub(super) struct House {
    pub(super) page: &'static str,
    /// Its sources; the rooms of its table are named from the root or from here.
    source: &'static str,
    /// How many files may stand beside `lib.rs`, outside of every folder.
    loose_max: usize,
}

pub(super) const HOUSES: &[House] = &[
    House {
        page: "ARCHITECTURE.md",
        source: "engine/src/",
        loose_max: 6,
    },
    House {
        page: "ARCHITECTURE.md",
        source: "simulator/src/",
        loose_max: 2,
    },
    House {
        page: "ARCHITECTURE.md",
        source: "cli/src/",
        loose_max: 2,
    },
    House {
        page: "ARCHITECTURE.md",
        source: "conformance/src/",
        loose_max: 2,
    },
];

/// Crates in which circles of files are still to be broken.
const WITH_CIRCLES: &[&str] = &["simulator/protocol/src/"];

/// A row of a table.
#[derive(Debug)]
struct Room<'a> {
    /// Relative to the sources: `sim/lane/`, `error.rs`, or nothing for the files beside `lib.rs`.
    places: Vec<&'a str>,
    may_name: May<'a>,
}

#[derive(Debug)]
enum May<'a> {
    /// The rows above it, and these.
    Above(Vec<&'a str>),
    /// Every room but these.
    AllBut(Vec<&'a str>),
    /// These.
    Only(Vec<&'a str>),
}

impl<'a> May<'a> {
    fn of(cell: &'a str) -> Self {
        let named = quoted(cell).map(plain).collect();
        if cell.starts_with("the rooms above") {
            Self::Above(named)
        } else if cell.starts_with("everything but") {
            Self::AllBut(named)
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
fn rooms<'a>(house: &House, page: &'a str) -> Vec<Room<'a>> {
    let rows = rows(page, &["room", "may name"]).into_iter();
    let rooms = rows.filter_map(|row| {
        let places = quoted(row.cells[0]).filter_map(|place| {
            let is_ours = |place: &&str| house.is_relative() && !place.contains("/src/");
            let inside = place.strip_prefix(house.source);
            inside.or(Some(place).filter(is_ours))
        });
        let places: Vec<&str> = places.collect();
        let may_name = May::of(row.cells[1]);
        (!places.is_empty()).then_some(Room { places, may_name })
    });
    rooms.collect()
}

impl House {
    /// Whether its page names rooms without the folder of the crate in front.
    fn is_relative(&self) -> bool {
        self.source == "engine/src/"
    }
}

/// The row that a file belongs to: the one with the longest place that it lies in.
fn row_of<'a>(rooms: &[Room<'a>], file: &str) -> Option<(usize, &'a str)> {
    let places = rooms.iter().enumerate();
    let places = places.flat_map(|(row, room)| room.places.iter().map(move |place| (row, *place)));
    let lies_in = |place: &str| match place {
        "" => !file.contains('/'),
        place => file.starts_with(place),
    };
    let places = places.filter(|(_, place)| lies_in(place));
    places.max_by_key(|(_, place)| place.len())
}

/// What the sources of a house do against its table.
pub(super) fn check(house: &House, page: &str, files: &[File]) -> Vec<Finding> {
    let rooms = rooms(house, page);
    let mut findings = Vec::new();
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
            May::Above(named) => to_row < row || named.contains(&name),
            May::AllBut(named) => !named.contains(&name),
            May::Only(named) => named.contains(&name),
        };
        if !allowed {
            let path = format!("{}{}", house.source, arrow.from);
            let message = format!("{} may not name {}", shown(from), arrow.to);
            findings.push(Finding::new(&path, arrow.line, message));
        }
    }
    findings
}

fn shown(place: &str) -> &str {
    if place.is_empty() {
        "a file beside lib.rs"
    } else {
        place
    }
}

/// `lib.rs` lists the names of every room, and `main.rs` calls one.
fn is_face(file: &str) -> bool {
    matches!(file, "lib.rs" | "main.rs")
}

/// Whether a folder lies in another one.
fn is_within(place: &str, folder: &str) -> bool {
    folder.ends_with('/') && place.starts_with(folder)
}

/// Circles of files in different rooms, neither of which contains the other.
pub(super) fn check_circles(source: &str, files: &[File]) -> Vec<Finding> {
    if WITH_CIRCLES.contains(&source) {
        return Vec::new();
    }
    let mut arrows = Imports::of(source, files).arrows();
    arrows.retain(|arrow| !is_face(&arrow.from));
    let circles = circles(&arrows).into_iter().filter(|circle| {
        let rooms: BTreeSet<&str> = circle.iter().map(|file| room_of(file)).collect();
        let mut pairs = rooms
            .iter()
            .flat_map(|one| rooms.iter().map(move |other| (one, other)));
        pairs.any(|(one, other)| one != other && !is_within(one, other) && !is_within(other, one))
    });
    let told = circles.map(|circle| {
        let files: Vec<&str> = circle.into_iter().collect();
        let path = format!("{source}{}", files[0]);
        Finding::new(
            &path,
            1,
            format!("files name each other in a circle: {}", files.join(", ")),
        )
    });
    told.collect()
}

/// The folder of a file, or the file itself beside `lib.rs`.
fn room_of(file: &str) -> &str {
    file.rfind('/').map_or(file, |slash| &file[..=slash])
}

const PAGE: &str = "| room | may name | never |\n|---|---|---|\n\
    | `x/src/` | nothing of ours | |\n| `x/src/low/` | the rooms above | |\n\
    | `x/src/high/`, `x/src/side/` | the rooms above | |\n| `x/src/high/in/` | `low` | |\n\
    | `x/src/top/` | everything but `low` | |\n";

const HOUSE: House = House {
    page: "MAP.md",
    source: "x/src/",
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
            Some("a file beside lib.rs may not name low/mod.rs"),
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
    let files = files_of(&[("lib.rs", ""), ("attic/mod.rs", ""), ("a.rs", "")]);
    let findings = check(&HOUSE, PAGE, &files);
    let expected = "no table of rooms in MAP.md has it";
    assert_eq!(findings, [Finding::new("x/src/attic/mod.rs", 1, expected)]);
    let files = files_of(&[("a.rs", ""), ("b.rs", "")]);
    assert_eq!(check(&HOUSE, PAGE, &files).len(), 1);
}

#[test]
fn a_circle_between_rooms_is_found() {
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
                (one, &text),
                (other, &back),
            ]),
        )
        .len()
    };
    assert_eq!(circle("a/one.rs", "b/two.rs", "a::one::B"), 1);
    assert_eq!(circle("a.rs", "b/two.rs", "a::B"), 1);
    // Within a folder, and between a folder and one in it.
    assert_eq!(circle("a/one.rs", "a/two.rs", "a::one::B"), 0);
    assert_eq!(circle("a/one.rs", "a/b/two.rs", "a::one::B"), 0);
    assert_eq!(circle("a/one.rs", "b/two.rs", "c::B"), 0);
}
