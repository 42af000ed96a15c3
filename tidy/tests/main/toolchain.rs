//! What cargo says of the workspace, and the oldest compiler that it can have.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use super::Finding;

/// The part of `cargo metadata` that is looked at.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    pub(super) packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    /// None where only the workspace's own packages were asked for.
    resolve: Option<Resolve>,
}

/// Who depends on whom.
#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    dependencies: Vec<String>,
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

/// A `rust-version` is the newest that a dependency of the packages that declare it asks for: no
/// older, since one of them would not build, and no newer, since nobody needs it. Packages that
/// share a version are looked at together: the workspace's crates have one.
pub(super) fn check(metadata: &Metadata) -> Vec<Finding> {
    let mut needs: BTreeMap<&str, (Version, &str)> = BTreeMap::new();
    for package in metadata.ours() {
        let declared = package.rust_version.as_deref().unwrap_or("none");
        let need = needs.entry(declared).or_default();
        for dependency in metadata.closure(&package.id) {
            let asked = dependency
                .rust_version
                .as_deref()
                .map_or((0, 0, 0), version);
            *need = (*need).max((asked, &dependency.name));
        }
    }
    let wrong = needs
        .into_iter()
        .filter(|(declared, (needed, _))| version(declared) != *needed);
    wrong
        .map(|(declared, ((major, minor, _), asker))| {
            let message = format!(
                "rust-version is {declared}, what declares it needs {major}.{minor} ({asker})"
            );
            Finding::new("Cargo.toml", 1, message)
        })
        .collect()
}

/// Major, minor, patch.
type Version = (u32, u32, u32);

impl Metadata {
    fn ours(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| self.workspace_members.contains(&package.id))
    }

    /// The packages of others that this one depends on, however far.
    fn closure(&self, id: &str) -> Vec<&Package> {
        let nodes = self.resolve.iter().flat_map(|resolve| &resolve.nodes);
        let nodes: BTreeMap<&str, &Node> = nodes.map(|node| (node.id.as_str(), node)).collect();
        let mut seen = BTreeSet::new();
        let mut frontier = vec![id];
        while let Some(id) = frontier.pop() {
            if seen.insert(id) {
                let dependencies = nodes.get(id).map(|node| &node.dependencies[..]);
                frontier.extend(dependencies.unwrap_or_default().iter().map(String::as_str));
            }
        }
        let theirs = |package: &&Package| !self.workspace_members.contains(&package.id);
        let reached = |package: &&Package| seen.contains(package.id.as_str());
        self.packages
            .iter()
            .filter(theirs)
            .filter(reached)
            .collect()
    }
}

fn version(text: &str) -> Version {
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
    let node = |id: &str, dependencies: &[&str]| Node {
        id: id.to_owned(),
        dependencies: dependencies.iter().map(|id| (*id).to_owned()).collect(),
    };
    let found = |ours: &str, peers: &str| {
        let metadata = Metadata {
            packages: vec![
                package("ours", ours),
                package("benches", peers),
                package("old", "1.9"),
                package("new", "1.88.0"),
                package("peer", "1.95"),
            ],
            workspace_members: BTreeSet::from(["ours".to_owned(), "benches".to_owned()]),
            resolve: Some(Resolve {
                nodes: vec![
                    node("ours", &["old"]),
                    node("old", &["new"]),
                    node("benches", &["ours", "peer"]),
                ],
            }),
        };
        check(&metadata)
    };
    assert_eq!(found("1.88", "1.95"), []);
    for wrong in ["1.87", "1.89", "1.9"] {
        let message = format!("rust-version is {wrong}, what declares it needs 1.88 (new)");
        assert_eq!(
            found(wrong, "1.95"),
            [Finding::new("Cargo.toml", 1, message)]
        );
    }
    let message = "rust-version is 1.88, what declares it needs 1.95 (peer)";
    assert_eq!(
        found("1.88", "1.88"),
        [Finding::new("Cargo.toml", 1, message)]
    );
}

#[test]
fn a_dependency_is_found_in_its_manifest() {
    let manifest = "[dependencies]\nserde_json = \"1\"\nserde.workspace = true\n";
    assert_eq!(line_naming(manifest, "serde"), 3);
    assert_eq!(line_naming(manifest, "clap"), 1);
}
