//! Which crate may depend on which.

use super::Finding;
use super::tables::{Row, quoted, rows};
use super::toolchain::{Package, line_naming};

/// The page whose table says which crate may depend on which of ours, for its tests as well.
pub(super) const PAGE: &str = "ARCHITECTURE.md";

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

/// Each crate of the workspace with those that it may depend on.
#[derive(Debug)]
pub(super) struct Layers<'a>(Vec<(&'a str, Vec<&'a str>)>);

impl<'a> Layers<'a> {
    pub(super) fn of(page: &'a str) -> Self {
        let rows = rows(page, &["crate", "may depend on"]).into_iter();
        let layer =
            |row: Row<'a>| Some((quoted(row.cells[0]).next()?, quoted(row.cells[1]).collect()));
        Self(rows.filter_map(layer).collect())
    }

    fn of_crate(&self, name: &str) -> Option<&[&'a str]> {
        let layer = self.0.iter().find(|(layer, _)| *layer == name);
        layer.map(|(_, may_have)| &may_have[..])
    }
}

pub(super) fn check_package(
    layers: &Layers<'_>,
    package: &Package,
    path: &str,
    manifest: &str,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(may_have) = layers.of_crate(&package.name) else {
        let message = format!("{} is not in the table of crates in {PAGE}", package.name);
        return vec![Finding::new(path, 1, message)];
    };
    for dependency in &package.dependencies {
        let name = dependency.name.as_str();
        // A crate may name itself, to have a feature on in its own tests.
        let ours = layers.of_crate(name).is_some() && name != package.name;
        let reserved = RESERVED.iter().find(|(reserved, _)| *reserved == name);
        let line = line_naming(manifest, name);
        if ours && !may_have.contains(&name)
            || reserved.is_some_and(|(_, crates)| !crates.contains(&package.name.as_str()))
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

/// The lines of a manifest's lints, without comments. `prefix` is `workspace.` for those that the crates of
/// the workspace inherit.
fn lints<'a>(manifest: &'a str, prefix: &str) -> Vec<&'a str> {
    let table = format!("[{prefix}lints.");
    let mut is_inside = false;
    let lines = manifest.lines().filter_map(|line| {
        if line.starts_with('[') {
            is_inside = line.starts_with(&table);
        }
        let is_lint = is_inside && !line.is_empty() && !line.starts_with('#');
        is_lint.then(|| line.strip_prefix(&table).unwrap_or(line))
    });
    lines.collect()
}

/// A crate outside of the workspace inherits nothing, so it repeats the lints.
pub(super) fn check_lints_outside(workspace: &str, path: &str, manifest: &str) -> Vec<Finding> {
    match lints(manifest, "") == lints(workspace, "workspace.") {
        true => Vec::new(),
        false => vec![Finding::new(path, 1, "has other lints than the workspace")],
    }
}

#[test]
fn lints_that_differ_from_the_workspace_are_found() {
    let workspace = "[workspace.lints.rust]\nunsafe_code = \"forbid\"\n\n[workspace.lints.clippy]\n# Why.\n\
                     all = \"warn\"\n\n[profile.dev]\ndebug = 1\n";
    let same = "[package]\nname = \"x\"\n\n[lints.rust]\nunsafe_code = \"forbid\"\n\n[lints.clippy]\n\
                all = \"warn\"\n\n[workspace]\n";
    let check = |manifest: &str| check_lints_outside(workspace, "x/Cargo.toml", manifest).len();
    assert_eq!(check(same), 0);
    assert_eq!(check(&same.replace("forbid", "warn")), 1);
    assert_eq!(check("[package]\nname = \"x\"\n\n[workspace]\n"), 1);
}

#[test]
fn a_dependency_against_the_layers_is_found() {
    let layers = Layers::of(
        "| crate | may depend on |\n|---|---|\n\
         | `crashpoint-macros` | none of ours |\n| `crashpoint` | `crashpoint-macros` |\n\
         | `crashpoint-conformance` | `crashpoint` |\n| `crashpoint-simulator` | `crashpoint` |\n\
         | `crashpoint-cli` | `crashpoint`, `crashpoint-simulator` |\n",
    );
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
        let findings = check_package(&layers, &package, "x/Cargo.toml", manifest);
        assert_eq!(!findings.is_empty(), is_wrong, "{package:?}: {findings:?}");
    }
    let package = Package::made_up("crashpoint", "crashpoint-simulator", false);
    let expected = "crashpoint may not depend on crashpoint-simulator";
    assert_eq!(
        check_package(&layers, &package, "engine/Cargo.toml", manifest),
        [Finding::new("engine/Cargo.toml", 4, expected)]
    );
    let stranger = Package::made_up("crashpoint-extras", "serde", false);
    assert_eq!(
        check_package(&layers, &stranger, "x/Cargo.toml", "").len(),
        1
    );
    let with_defaults = Package::made_up("crashpoint-conformance", "crashpoint", true);
    assert_eq!(
        check_package(&layers, &with_defaults, "x/Cargo.toml", "").len(),
        1
    );
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
