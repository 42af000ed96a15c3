//! What may import what: between the crates, and between the rooms of the engine.

use super::Finding;
use super::source::code;
use super::toolchain::{Package, line_naming};

/// Each crate of the workspace with those that it may depend on, for its tests as well.
const CRATES: &[(&str, &[&str])] = &[
    ("crashpoint-macros", &[]),
    ("crashpoint", &["crashpoint-macros"]),
    ("crashpoint-conformance", &["crashpoint"]),
    ("crashpoint-simulator", &["crashpoint"]),
    ("crashpoint-protocol", &["crashpoint"]),
    (
        "crashpoint-cli",
        &[
            "crashpoint",
            "crashpoint-conformance",
            "crashpoint-simulator",
        ],
    ),
    ("crashpoint-fuzz", &["crashpoint", "crashpoint-simulator"]),
    (
        "crashpoint-benches",
        &[
            "crashpoint",
            "crashpoint-conformance",
            "crashpoint-simulator",
        ],
    ),
    (
        "crashpoint-examples",
        &[
            "crashpoint",
            "crashpoint-conformance",
            "crashpoint-simulator",
        ],
    ),
    (
        "crashpoint-docs",
        &[
            "crashpoint",
            "crashpoint-conformance",
            "crashpoint-simulator",
        ],
    ),
    ("crashpoint-tidy", &[]),
];

/// Crates from outside that one room may have, and no other.
const RESERVED: &[(&str, &[&str])] = &[
    ("clap", &["crashpoint-cli", "crashpoint-benches"]),
    ("indicatif", &["crashpoint-cli"]),
    ("madsim", &["crashpoint-simulator"]),
    (
        "criterion",
        &["crashpoint-benches", "crashpoint-conformance"],
    ),
];

/// Each room of the engine, a folder or a file beside `lib.rs`, with those that it may name.
const ROOMS: &[(&str, &[&str])] = &[
    ("cancel", &[]),
    ("runtime", &[]),
    ("scope", &[]),
    ("core", &["recovery"]),
    ("error", &["core"]),
    ("recovery", &["error", "scope"]),
    ("store", &["error", "recovery", "runtime", "scope"]),
    ("observe", &["core", "error", "recovery"]),
    ("task", &["cancel", "core", "runtime", "workflow"]),
    ("workflow", &["core", "task"]),
    ("outcome", &["core", "workflow"]),
    (
        "driver",
        &[
            "cancel", "core", "error", "observe", "recovery", "runtime", "scope", "task",
            "workflow",
        ],
    ),
    (
        "engine",
        &[
            "cancel", "core", "driver", "error", "observe", "outcome", "recovery", "runtime",
            "scope", "workflow",
        ],
    ),
];

fn allowed<'a>(table: &'a [(&str, &'a [&'a str])], name: &str) -> Option<&'a [&'a str]> {
    let row = table.iter().find(|(row, _)| *row == name);
    row.map(|(_, allowed)| *allowed)
}

pub(super) fn check_package(package: &Package, path: &str, manifest: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(may_have) = allowed(CRATES, &package.name) else {
        let message = format!("{} has no place in the layers", package.name);
        return vec![Finding::new(path, 1, message)];
    };
    for dependency in &package.dependencies {
        let name = dependency.name.as_str();
        // A crate may name itself, to have a feature on in its own tests.
        let ours = allowed(CRATES, name).is_some() && name != package.name;
        let reserved = allowed(RESERVED, name);
        let line = line_naming(manifest, name);
        if ours && !may_have.contains(&name)
            || reserved.is_some_and(|rooms| !rooms.contains(&package.name.as_str()))
        {
            let message = format!("{} may not depend on {name}", package.name);
            findings.push(Finding::new(path, line, message));
        }
        let is_kit = package.name == "crashpoint-conformance";
        if is_kit && name == "crashpoint" && dependency.uses_default_features {
            let message = "the kit takes the engine without its default features";
            findings.push(Finding::new(path, line, message));
        }
    }
    findings
}

/// Every crate inherits from the workspace, its lints above all. A crate is either published, with
/// all that a registry and its documentation service show, or it says that it is not.
pub(super) fn check_manifest(path: &str, manifest: &str) -> Vec<Finding> {
    let inherited = [
        "version.workspace = true",
        "edition.workspace = true",
        // The benchmarks' peers need a newer compiler than the crates do.
        "\nrust-version",
        "license.workspace = true",
        "\ndescription = ",
        "[lints]\nworkspace = true",
    ];
    let published = [
        "\ndocumentation = ",
        "\nreadme = \"README.md\"",
        "\nkeywords = ",
        "\ncategories = ",
        "\ninclude = ",
        "[package.metadata.docs.rs]\nall-features = true",
    ];
    let is_published = !manifest.contains("\npublish = false\n");
    let wanted = inherited
        .into_iter()
        .chain(published.into_iter().filter(|_| is_published));
    wanted
        .filter(|wanted| !manifest.contains(*wanted))
        .map(|wanted| {
            let message = format!("lacks `{}`", wanted.trim().replace('\n', " "));
            Finding::new(path, 1, message)
        })
        .collect()
}

pub(super) fn check_room(path: &str, text: &str) -> Vec<Finding> {
    let inside = path.strip_prefix("engine/src/");
    let Some(inside) = inside.filter(|inside| *inside != "lib.rs") else {
        return Vec::new();
    };
    let room = inside.split(['/', '.']).next().unwrap_or_default();
    let Some(may_name) = allowed(ROOMS, room) else {
        return vec![Finding::new(
            path,
            1,
            format!("{room} is no room of the engine"),
        )];
    };
    let mut findings = Vec::new();
    for (index, line) in code(text).lines().enumerate() {
        for (at, prefix) in line.match_indices("crate::") {
            let rest = &line[at + prefix.len()..];
            let end = rest.find(|character: char| !character.is_alphanumeric() && character != '_');
            let named = &rest[..end.unwrap_or(rest.len())];
            if named != room && !may_name.contains(&named) {
                let message = format!("{room} may not name {:?}", &rest[..rest.len().min(12)]);
                findings.push(Finding::new(path, index + 1, message));
            }
        }
    }
    findings
}

#[test]
fn a_dependency_against_the_layers_is_found() {
    let manifest = "[package]\n\n[dependencies]\ncrashpoint-simulator.workspace = true\n";
    let cases = [
        ("crashpoint", "crashpoint-simulator", true),
        ("crashpoint", "crashpoint-conformance", true),
        ("crashpoint-conformance", "crashpoint-simulator", true),
        ("crashpoint-simulator", "crashpoint-conformance", true),
        ("crashpoint-simulator", "crashpoint-cli", true),
        ("crashpoint-simulator", "clap", true),
        ("crashpoint", "madsim", true),
        ("crashpoint-simulator", "madsim", false),
        ("crashpoint-cli", "clap", false),
        ("crashpoint-cli", "crashpoint-simulator", false),
        ("crashpoint", "serde", false),
        ("crashpoint", "crashpoint-macros", false),
    ];
    for (package, dependency, is_wrong) in cases {
        let package = Package::made_up(package, dependency, false);
        let findings = check_package(&package, "x/Cargo.toml", manifest);
        assert_eq!(!findings.is_empty(), is_wrong, "{package:?}: {findings:?}");
    }
    let package = Package::made_up("crashpoint", "crashpoint-simulator", false);
    let expected = "crashpoint may not depend on crashpoint-simulator";
    assert_eq!(
        check_package(&package, "engine/Cargo.toml", manifest),
        [Finding::new("engine/Cargo.toml", 4, expected)]
    );
    let stranger = Package::made_up("crashpoint-extras", "serde", false);
    assert_eq!(check_package(&stranger, "x/Cargo.toml", "").len(), 1);
    let with_defaults = Package::made_up("crashpoint-conformance", "crashpoint", true);
    assert_eq!(check_package(&with_defaults, "x/Cargo.toml", "").len(), 1);
}

#[test]
fn a_manifest_that_differs_from_the_workspace_is_found() {
    let unpublished = "name = \"x\"\ndescription = \"y\"\nversion.workspace = true\n\
                       edition.workspace = true\nrust-version.workspace = true\n\
                       license.workspace = true\npublish = false\n\n[lints]\nworkspace = true\n";
    assert_eq!(check_manifest("x/Cargo.toml", unpublished), []);
    let without_lints = unpublished.replace("[lints]", "[lints.rust]");
    assert_eq!(
        check_manifest("x/Cargo.toml", &without_lints),
        [Finding::new(
            "x/Cargo.toml",
            1,
            "lacks `[lints] workspace = true`"
        )]
    );
    let bare = unpublished.replace("publish = false\n", "");
    assert_eq!(check_manifest("x/Cargo.toml", &bare).len(), 6);
    let published = bare.replace(
        "\n[lints]",
        "documentation = \"d\"\nreadme = \"README.md\"\nkeywords = []\ncategories = []\n\
         include = []\n\n[package.metadata.docs.rs]\nall-features = true\n\n[lints]",
    );
    assert_eq!(check_manifest("x/Cargo.toml", &published), []);
}

#[test]
fn a_room_that_names_another_is_found() {
    let path = "engine/src/core/life.rs";
    let broken = "use crate::core::claim;\nuse crate::driver::live;\n";
    assert_eq!(
        check_room(path, broken),
        [Finding::new(path, 2, "core may not name \"driver::live\"")]
    );
    assert_eq!(check_room(path, "use crate::{core, recovery};\n").len(), 1);
    assert_eq!(check_room(path, "//! See crate::driver.\n"), []);
    assert_eq!(check_room("engine/src/lib.rs", broken), []);
    assert_eq!(check_room("engine/tests/main/a.rs", broken), []);
    assert_eq!(check_room("engine/src/attic.rs", "").len(), 1);
}
