//! What cargo says of the workspace, and the oldest compiler that it can have.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use super::Finding;

/// The part of `cargo metadata` that is looked at.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    pub(super) packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Package {
    id: String,
    pub(super) name: String,
    rust_version: Option<String>,
    manifest_path: String,
    pub(super) dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) uses_default_features: bool,
}

impl Package {
    /// The manifest's path below `root`.
    pub(super) fn manifest(&self, root: &Path) -> String {
        let path = Path::new(&self.manifest_path);
        let below = path.strip_prefix(root).unwrap_or(path);
        below.to_string_lossy().replace('\\', "/")
    }
}

/// The workspace's `rust-version` is the newest that a dependency asks for: no older, since it
/// would not build, and no newer, since nobody needs it.
pub(super) fn check(metadata: &Metadata) -> Vec<Finding> {
    let is_ours = |package: &&Package| metadata.workspace_members.contains(&package.id);
    let theirs = metadata.packages.iter().filter(|package| !is_ours(package));
    let newest = theirs
        .filter_map(|package| Some((version(package.rust_version.as_deref()?), &package.name)))
        .max();
    let Some((needed, asker)) = newest else {
        return vec![Finding::new("Cargo.toml", 1, "no dependency was looked at")];
    };
    let ours = metadata.packages.iter().filter(is_ours);
    ours.filter(|package| package.rust_version.as_deref().map(version) != Some(needed))
        .map(|package| {
            let (major, minor, _) = needed;
            let found = package.rust_version.as_deref().unwrap_or("none");
            let message = format!(
                "rust-version of {} is {found}, its dependencies need {major}.{minor} ({asker})",
                package.name
            );
            Finding::new("Cargo.toml", 1, message)
        })
        .collect()
}

fn version(text: &str) -> (u32, u32, u32) {
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
    let mut part = || parts.next().unwrap_or(0);
    (part(), part(), part())
}

/// The line of a manifest that names a dependency, or its first.
pub(super) fn line_naming(manifest: &str, dependency: &str) -> usize {
    let names_it = |line: &str| {
        let rest = line.strip_prefix(dependency);
        rest.is_some_and(|rest| rest.starts_with([' ', '.', '=']))
    };
    manifest
        .lines()
        .position(names_it)
        .map_or(1, |line| line + 1)
}

/// The platform of this machine, as the compiler calls it.
pub(super) fn host() -> String {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let output = Command::new(rustc).arg("-vV").output().expect("rustc runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc names its host").to_owned()
}

impl Package {
    /// A package with one dependency, for the checks' own tests.
    pub(super) fn made_up(name: &str, dependency: &str, uses_default_features: bool) -> Self {
        Self {
            id: name.to_owned(),
            name: name.to_owned(),
            rust_version: None,
            manifest_path: String::new(),
            dependencies: vec![Dependency {
                name: dependency.to_owned(),
                uses_default_features,
            }],
        }
    }
}

#[test]
fn a_rust_version_too_old_or_too_new_is_found() {
    let package = |name: &str, version: &str| Package {
        rust_version: Some(version.to_owned()),
        ..Package::made_up(name, "serde", false)
    };
    let found = |ours: &str| {
        let metadata = Metadata {
            packages: vec![
                package("ours", ours),
                package("old", "1.9"),
                package("new", "1.88.0"),
            ],
            workspace_members: BTreeSet::from(["ours".to_owned()]),
        };
        check(&metadata)
    };
    assert_eq!(found("1.88"), []);
    for wrong in ["1.87", "1.89", "1.9"] {
        let message = format!("rust-version of ours is {wrong}, its dependencies need 1.88 (new)");
        assert_eq!(found(wrong), [Finding::new("Cargo.toml", 1, message)]);
    }
}

#[test]
fn a_dependency_is_found_in_its_manifest() {
    let manifest = "[dependencies]\nserde_json = \"1\"\nserde.workspace = true\n";
    assert_eq!(line_naming(manifest, "serde"), 3);
    assert_eq!(line_naming(manifest, "clap"), 1);
}
