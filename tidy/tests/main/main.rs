//! Keeps what review forgets: layers, determinism bans, pages that name every file.
//!
//! Every check is a pure function from a path and a text to findings, so that each is seen
//! failing on a made-up file as well as passing on the real ones. What it does *not* check is
//! what the compiler and clippy check already.

mod determinism;
mod examples;
mod imports;
mod layers;
mod links;
mod map;
mod modules;
mod rooms;
mod rules;
mod source;
mod tables;
mod toolchain;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One thing that is wrong, at a line counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    path: String,
    line: usize,
    message: String,
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            message: message.into(),
        }
    }
}

/// A text of the workspace; its path is relative to the root, with `/` between its parts.
#[derive(Debug)]
struct File {
    path: String,
    text: String,
}

#[test]
fn sources_keep_the_rules() {
    let files = files();
    assert!(
        files.iter().any(|file| file.path == "engine/src/lib.rs"),
        "the engine is looked at"
    );
    let findings = files
        .iter()
        .flat_map(|file| rules::check(&file.path, &file.text));
    report(findings);
}

#[test]
fn crates_keep_the_layers() {
    let metadata = cargo_metadata(&["--no-deps"]);
    let page = read(&root().join(layers::PAGE));
    let layers = layers::Layers::of(&page);
    let findings = metadata.packages.iter().flat_map(|package| {
        let path = package.manifest(&root());
        let manifest = read(&root().join(&path));
        let mut findings = layers::check_package(&layers, package, &path, &manifest);
        findings.extend(layers::check_manifest(&path, &manifest));
        findings
    });
    report(findings);
}

#[test]
fn crates_outside_of_the_workspace_have_its_lints() {
    let files = files();
    let workspace = text_of(&files, "Cargo.toml");
    let outside = files.iter().filter(|file| {
        file.path.starts_with("conformance/examples/") && file.path.ends_with("/Cargo.toml")
    });
    let outside: Vec<&File> = outside.collect();
    assert!(outside.len() > 2, "{outside:?}");
    let findings = outside
        .iter()
        .flat_map(|file| layers::check_lints_outside(&workspace, &file.path, &file.text));
    report(findings);
}

#[test]
fn rooms_name_only_what_the_map_allows() {
    let files = files();
    let findings = rooms::HOUSES.iter().flat_map(|house| {
        let page = text_of(&files, house.page);
        rooms::check(house, &page, &files)
    });
    report(findings);
}

#[test]
fn no_files_name_each_other_in_a_circle() {
    let files = files();
    let sources = files.iter().filter_map(|file| {
        let faces = ["lib.rs", "main.rs"].iter();
        let mut sources = faces.filter_map(|face| file.path.strip_suffix(face));
        sources.find(|source| source.ends_with("/src/"))
    });
    let sources: BTreeSet<&str> = sources.collect();
    assert!(sources.contains("engine/src/"), "the engine is looked at");
    report(
        sources
            .iter()
            .flat_map(|source| rooms::check_circles(source, &files)),
    );
}

#[test]
fn the_pages_of_the_architecture_map_every_file() {
    let files = files();
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let houses = rooms::HOUSES.iter().map(Some);
    report(houses.chain([None]).flat_map(|house| {
        let page = house.map_or(map::MAP, |house| house.page);
        map::check(house, &text_of(&files, page), &paths)
    }));
}

#[test]
fn every_source_of_variation_has_a_test() {
    let files = files();
    let page = text_of(&files, determinism::PAGE);
    report(determinism::check(&page, &files));
}

#[test]
fn pages_say_what_the_worked_examples_claim_and_find() {
    let files = files();
    let chapter = text_of(&files, examples::CHAPTER);
    let page = text_of(&files, examples::FINDINGS);
    report(examples::check_claims(&chapter, &files));
    report(examples::check_commands(&page, &files));
}

#[test]
fn every_file_is_a_module_of_its_crate() {
    report(modules::check(&files()));
}

#[test]
fn links_of_pages_lead_somewhere() {
    let files = files();
    let pages: Vec<(&str, &str)> = files
        .iter()
        .filter(|file| file.path.ends_with(".md"))
        .map(|file| (file.path.as_str(), file.text.as_str()))
        .collect();
    assert!(pages.len() > 10, "the pages are looked at");
    report(links::check(&pages, |path| root().join(path).exists()));
}

#[test]
fn rust_version_is_what_the_dependencies_need() {
    let host = toolchain::host();
    let metadata = cargo_metadata(&["--filter-platform", &host]);
    report(toolchain::check(&metadata));
}

fn report(findings: impl IntoIterator<Item = Finding>) {
    let lines: Vec<String> = findings
        .into_iter()
        .map(
            |Finding {
                 path,
                 line,
                 message,
             }| format!("{path}:{line}: {message}"),
        )
        .collect();
    assert!(
        lines.is_empty(),
        "{} findings\n{}",
        lines.len(),
        lines.join("\n")
    );
}

fn root() -> PathBuf {
    let tidy = Path::new(env!("CARGO_MANIFEST_DIR"));
    tidy.parent()
        .expect("this package lies below the root")
        .to_owned()
}

/// Every text that git tracks or would track; without git, every text outside of build folders.
fn files() -> Vec<File> {
    let root = root();
    let mut paths = git_paths(&root).unwrap_or_else(|| walked_paths(&root));
    paths.sort();
    paths.dedup();
    paths
        .into_iter()
        .filter(|path| !path.split('/').any(|part| part == "corpus"))
        .filter_map(|path| {
            let bytes = std::fs::read(root.join(&path)).ok()?;
            let text = String::from_utf8(bytes).ok()?;
            (!text.contains('\0')).then_some(File { path, text })
        })
        .collect()
}

fn git_paths(root: &Path) -> Option<Vec<String>> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output()
        .ok()?;
    let listed = listed.status.success().then_some(listed.stdout)?;
    let paths = String::from_utf8(listed).ok()?;
    Some(paths.split_terminator('\0').map(str::to_owned).collect())
}

fn walked_paths(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the workspace can be read") {
            let path = entry.expect("an entry of a folder can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                if name != ".git" && !name.starts_with("target") {
                    folders.push(path);
                }
            } else if let Ok(relative) = path.strip_prefix(root) {
                found.push(relative.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found
}

fn text_of(files: &[File], path: &str) -> String {
    let file = files.iter().find(|file| file.path == path);
    file.unwrap_or_else(|| panic!("{path} is missing"))
        .text
        .clone()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn cargo_metadata(arguments: &[&str]) -> toolchain::Metadata {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--offline", "--format-version", "1"])
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON")
}
