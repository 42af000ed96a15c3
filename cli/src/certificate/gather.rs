//! `crashpoint report`: reads the results that tests left behind and merges them.

use std::fmt::Display;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crashpoint_conformance::{Merged, Report, merge};
use crashpoint_simulator::TextLimits;
use serde::Serialize;
use serde_json::Value;

use crate::arguments::ReportArguments;
use crate::certificate::against::{self, Since};
use crate::certificate::{Files, beside, exit, show};
use crate::exit::{Exit, Failure};
use crate::text::escape;

/// The version of the JSON.
const VERSION: u32 = 1;

/// What a file of lines is called.
const EXTENSION: &str = "jsonl";

/// The most that is read of such a file: a run of all laws leaves some hundred kilobytes, and a law that
/// failed has its message on its line.
const LIMITS: TextLimits = TextLimits {
    file_bytes: 64 << 20,
    line_bytes: 16 << 20,
};

pub(crate) fn run(arguments: &ReportArguments, out: &mut impl Write) -> Result<Exit, Failure> {
    let ReportArguments {
        files,
        against: earlier,
        beside,
        output,
    } = arguments;
    let files = sources(files)?;
    let texts = texts(&files)?;
    let before = earlier.as_deref().map(before).transpose()?;
    let merged = merge(texts.iter().map(|(name, text)| (&**name, &**text)));
    if merged.reports.is_empty() && merged.remarks.is_empty() {
        return Err(Failure::Usage(format!(
            "no results in {}: no law was run",
            names(&files)
        )));
    }
    let written = Files::create(output)?;
    let since = before.map(|before| against::since(&before, &merged.reports));
    show(
        &merged,
        output,
        |merged| json(merged, since.as_deref()),
        out,
    )?;
    if let (Some(path), Some(since), false) = (earlier, &since, output.json) {
        match output.markdown {
            true => against::markdown(path, since, out)?,
            false => against::print(path, since, out)?,
        }
    }
    match (*beside, output.markdown) {
        (false, _) => {}
        (true, true) => beside::markdown(&merged.reports, out)?,
        (true, false) => beside::print(&merged.reports, out)?,
    }
    written.write(&merged)?;
    Ok(exit(&merged))
}

/// The reports of an earlier certificate.
fn before(path: &Path) -> Result<Vec<Value>, Failure> {
    against::earlier(path, &texts(&sources(&[path.to_owned()])?)?)
}

/// The texts of files, by name.
pub(super) fn texts(files: &[PathBuf]) -> Result<Vec<(String, String)>, Failure> {
    let text = |file: &PathBuf| {
        // Bytes that are not UTF-8 make a line invalid, and the merge remarks on it.
        let bytes = LIMITS.read(file);
        let bytes = bytes.map_err(|error| unreadable(file, &error))?;
        let text = String::from_utf8(bytes)
            .unwrap_or_else(|bad| String::from_utf8_lossy(bad.as_bytes()).into_owned());
        Ok((file.display().to_string(), text))
    };
    files.iter().map(text).collect()
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    reports: &'a [Report],
    /// What was left out, and why.
    remarks: Vec<String>,
    /// What has changed since the certificate of `--against`.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<&'a [Since]>,
}

fn json(merged: &Merged, since: Option<&[Since]>) -> String {
    let document = Document {
        version: VERSION,
        reports: &merged.reports,
        remarks: merged.remarks.iter().map(ToString::to_string).collect(),
        since,
    };
    escape::json(&document).expect("reports are plain data")
}

/// The named files, and the files in named folders; without names the usual place.
pub(super) fn sources(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    let usual;
    let named = if named.is_empty() {
        usual = [usual_place()?];
        &usual[..]
    } else {
        named
    };
    for path in named {
        if path.is_dir() {
            files.extend(lines_in(path)?);
        } else {
            files.push(path.clone());
        }
    }
    if files.is_empty() {
        return Err(Failure::Usage(format!(
            "no .{EXTENSION} file in {}",
            names(named)
        )));
    }
    Ok(files)
}

fn lines_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == EXTENSION)
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The place where the kit's tests leave their results: the file in `CRASHPOINT_REPORT`, or a folder in
/// the target folder of the nearest package or workspace.
fn usual_place() -> Result<PathBuf, Failure> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(file) = variable("CRASHPOINT_REPORT") {
        return Ok(file.into());
    }
    if let Some(target) = variable("CARGO_TARGET_DIR") {
        return Ok(Path::new(&target).join("crashpoint"));
    }
    let here = std::env::current_dir()?;
    let folders = here
        .ancestors()
        .map(|folder| folder.join("target").join("crashpoint"));
    folders
        .into_iter()
        .find(|folder| folder.is_dir())
        .ok_or_else(|| {
            let message = "no target/crashpoint here or above: run the tests first, or name files";
            Failure::Usage(message.to_owned())
        })
}

fn unreadable(path: &Path, error: &dyn Display) -> Failure {
    Failure::Usage(format!("can't read {}: {error}", escape::path(path)))
}

fn names(paths: &[PathBuf]) -> String {
    let names: Vec<_> = paths.iter().map(|path| escape::path(path)).collect();
    names.join(", ")
}
