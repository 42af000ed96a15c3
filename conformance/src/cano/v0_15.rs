//! Stores of release 0.15 of the reference crate, whose rows also have a version.

super::adapter!(cano_0_15, |row| {
    let version = row.workflow_version;
    (version != 0).then(|| format!("the workflow version {version}"))
});
