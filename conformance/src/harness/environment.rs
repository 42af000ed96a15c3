//! The environment of a certificate: what a verdict depends on beside the store.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;

use crate::harness::Options;

/// What the kit knows of the machine, the options that are not the defaults, and what the harness states.
pub(crate) fn environment(options: &Options) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    let mut fact = |name: &str, value: String| {
        facts.insert(name.to_owned(), value);
    };
    fact("kit", env!("CARGO_PKG_VERSION").to_owned());
    fact("system", system());
    fact("build", build().to_owned());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    fact("cores", cores.to_string());
    let temporary = std::env::temp_dir();
    let folder = options.folder.as_deref().unwrap_or(&temporary);
    fact("file system", file_system(folder));
    for (name, value) in changed(options) {
        fact(&format!("option {name}"), value);
    }
    for (name, stated) in &options.environment {
        // What the kit has seen stays. For a server the harness may know better.
        let value = match facts.get(name) {
            Some(seen) if seen != stated => format!("{seen} (the harness states {stated})"),
            _ => stated.clone(),
        };
        facts.insert(name.clone(), value);
    }
    facts
}

/// The options that are not the defaults, and change what a verdict says.
fn changed(options: &Options) -> Vec<(&'static str, String)> {
    let Options {
        operation_max,
        law_max,
        race_budget,
        race_rounds_min,
        poll_max,
        blob_bytes_max,
        reopens_after_outage,
        failover_max,
        id_bytes_max,
        laws_at_once,
        // The file system of the folder says more.
        folder: _,
        reserved_names: _,
        environment: _,
    } = options;
    let usual = Options::default();
    let words = |bytes: &Option<usize>| bytes.map_or("none".to_owned(), |bytes| bytes.to_string());
    let all = [
        (
            "operation_max",
            format!("{operation_max:?}"),
            format!("{:?}", usual.operation_max),
        ),
        (
            "law_max",
            format!("{law_max:?}"),
            format!("{:?}", usual.law_max),
        ),
        (
            "race_budget",
            format!("{race_budget:?}"),
            format!("{:?}", usual.race_budget),
        ),
        (
            "race_rounds_min",
            race_rounds_min.to_string(),
            usual.race_rounds_min.to_string(),
        ),
        (
            "poll_max",
            format!("{poll_max:?}"),
            format!("{:?}", usual.poll_max),
        ),
        (
            "blob_bytes_max",
            words(blob_bytes_max),
            words(&usual.blob_bytes_max),
        ),
        (
            "failover_max",
            format!("{failover_max:?}"),
            format!("{:?}", usual.failover_max),
        ),
        (
            "id_bytes_max",
            words(id_bytes_max),
            words(&usual.id_bytes_max),
        ),
        (
            "laws_at_once",
            words(&laws_at_once.map(NonZeroUsize::get)),
            words(&None),
        ),
        (
            "reopens_after_outage",
            reopens_after_outage.to_string(),
            usual.reopens_after_outage.to_string(),
        ),
    ];
    let changed = all.into_iter().filter(|(_, value, usual)| value != usual);
    changed.map(|(name, value, _)| (name, value)).collect()
}

fn build() -> &'static str {
    if cfg!(debug_assertions) {
        "with debug assertions"
    } else {
        "without debug assertions"
    }
}

/// The operating system, with the release of its kernel where it is known.
fn system() -> String {
    let (system, machine) = (std::env::consts::OS, std::env::consts::ARCH);
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{system} {} {machine}", release.trim()).replace("  ", " ")
}

/// The type of the file system of a folder, as the kernel calls it.
fn file_system(folder: &Path) -> String {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    file_system_of(&folder, &mounts)
        .unwrap_or("unknown")
        .to_owned()
}

/// The type in the line of the longest mount point above `folder`; of equal ones the last is on top.
fn file_system_of<'a>(folder: &Path, mounts: &'a str) -> Option<&'a str> {
    let above = mounts.lines().filter_map(|line| {
        let (mount, file_system) = line.split_once(" - ")?;
        // A space in a name is written `\040`.
        let point = mount.split(' ').nth(4)?.replace("\\040", " ");
        let kind = file_system.split(' ').next()?;
        folder.starts_with(&point).then_some((point.len(), kind))
    });
    above
        .max_by_key(|(length, _)| *length)
        .map(|(_, kind)| kind)
}
