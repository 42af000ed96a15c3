//! The command that runs a failing crash test again, as its author ran it.

use std::ffi::OsString;
use std::panic::Location;
use std::path::Path;

/// The command for the running test, whose crash test runs at this place. Parts that nobody can tell are
/// left out.
pub(super) fn of_test(name: &str, run: &Location<'_>) -> String {
    let mut words = vec!["cargo test".to_owned()];
    // Cargo sets it for every test that it runs.
    let package = std::env::var("CARGO_PKG_NAME").ok();
    words.extend(package.as_ref().map(|package| format!("-p {package}")));
    words.extend(target(run.file(), package.as_deref()));
    words.extend(choices_of_build(&arguments_of_parent()));
    words.push(format!("{name} -- --exact"));
    words.join(" ")
}

/// The name of the running test: the name of its thread, or with `--test-threads 1` the argument of
/// the test harness.
pub(super) fn name_of_test() -> Option<String> {
    let thread = std::thread::current();
    let name = thread.name().filter(|name| *name != "main");
    let asked = || {
        let mut arguments = std::env::args().skip(1);
        let exact = std::env::args().any(|argument| argument == "--exact");
        arguments.find(|argument| exact && !argument.starts_with('-'))
    };
    name.map(str::to_owned).or_else(asked)
}

/// The flag for the target: the file tells an integration test, the executable a unit test.
fn target(file: &str, package: Option<&str>) -> Option<String> {
    let folders: Vec<&str> = file.split(['/', '\\']).collect();
    let tests = folders.iter().rposition(|folder| *folder == "tests");
    if let Some(named) = tests.and_then(|at| folders.get(at + 1)) {
        return Some(format!("--test {}", named.trim_end_matches(".rs")));
    }
    let executable = std::env::current_exe().ok()?;
    let (krate, _) = executable.file_stem()?.to_str()?.rsplit_once('-')?;
    (krate == package?.replace('-', "_")).then(|| "--lib".to_owned())
}

/// The arguments of cargo, if cargo has started this process and the system shows them.
fn arguments_of_parent() -> Vec<String> {
    #[cfg(unix)]
    {
        let parent = std::os::unix::process::parent_id();
        let arguments = std::fs::read(format!("/proc/{parent}/cmdline")).unwrap_or_default();
        let arguments = String::from_utf8_lossy(&arguments).into_owned();
        arguments.split('\0').map(str::to_owned).collect()
    }
    #[cfg(not(unix))]
    Vec::new()
}

/// The arguments of cargo that choose what is built.
fn choices_of_build(arguments: &[String]) -> Vec<String> {
    let program = arguments.first().map(OsString::from).unwrap_or_default();
    let program = Path::new(&program).file_stem();
    if !program.is_some_and(|program| program.to_string_lossy().starts_with("cargo")) {
        return Vec::new();
    }
    let of_cargo = arguments.iter().take_while(|argument| *argument != "--");
    let of_cargo: Vec<&str> = of_cargo.map(String::as_str).collect();
    let mut chosen = Vec::new();
    for (at, argument) in of_cargo.iter().enumerate() {
        match *argument {
            "--all-features" | "--no-default-features" | "--release" | "-r" => {
                chosen.push((*argument).to_owned());
            }
            "--features" | "-F" | "--profile" => {
                let value = of_cargo.get(at + 1).copied().unwrap_or_default();
                chosen.push(format!("{argument} {value}"));
            }
            other if other.starts_with("--features=") || other.starts_with("--profile=") => {
                chosen.push(other.to_owned());
            }
            _ => {}
        }
    }
    // They go into a line that somebody copies into a shell.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " -_=,/".contains(c);
    chosen.retain(|argument| argument.chars().all(is_plain));
    chosen
}
