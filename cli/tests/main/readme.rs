//! The command's README: its examples print what it says, and every command line in it is accepted.

use std::path::Path;
use std::process::{Command, Output};

use crashpoint_cli::exit::Exit;

use crate::command::{crashpoint, text};
use crate::stored::two_runs;

const README: &str = include_str!("../../README.md");

/// The indented lines of the README, without their indent.
fn code() -> impl Iterator<Item = &'static str> {
    README.lines().filter_map(|line| line.strip_prefix("    "))
}

/// Runs a line with a shell, which finds the command by its name.
fn shell(line: &str, folder: &Path) -> Output {
    let command = Path::new(env!("CARGO_BIN_EXE_crashpoint"));
    let folder_of_it = command.parent().expect("a file is in a folder");
    Command::new("/bin/sh")
        .args(["-c", line])
        .current_dir(folder)
        .env("PATH", folder_of_it)
        .env_remove("CARGO")
        .output()
        .expect("a shell runs")
}

/// Whether `printed` is `expected`, in which a line of three dots stands for any number of lines.
fn fits(printed: &[&str], expected: &[&str]) -> bool {
    match expected.split_first() {
        None => printed.is_empty(),
        Some((&"...", rest)) => (0..=printed.len()).any(|skipped| fits(&printed[skipped..], rest)),
        Some((line, rest)) => printed.first() == Some(line) && fits(&printed[1..], rest),
    }
}

#[cfg(unix)]
#[test]
fn the_examples_print_what_the_readme_says() {
    let store = two_runs();
    let lines: Vec<&str> = code().collect();
    let starts = |(at, line): (usize, &&'static str)| line.starts_with("$ ").then_some(at);
    let starts: Vec<usize> = lines.iter().enumerate().filter_map(starts).collect();
    assert!(starts.len() > 7, "{starts:?}");
    for start in starts {
        let line = &lines[start]["$ ".len()..];
        let ends = |line: &&&str| !line.starts_with("$ ") && !line.starts_with("crashpoint ");
        let expected: Vec<&str> = lines[start + 1..]
            .iter()
            .take_while(ends)
            .copied()
            .collect();
        let output = shell(line, store.folder());
        let (printed, said) = (text(&output.stdout), text(&output.stderr));
        let printed: Vec<&str> = printed.lines().collect();
        assert!(
            fits(&printed, &expected),
            "{line}\n{}\n{said}",
            printed.join("\n")
        );
    }
}

#[cfg(unix)]
#[test]
fn every_command_line_in_the_readme_is_accepted() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let lines = code().map(|line| line.trim_start_matches("$ "));
    let mut accepted = 0;
    for line in lines.filter(|line| line.starts_with("crashpoint ")) {
        // With a request for help at its end a line is parsed, and nothing is run.
        let output = shell(&format!("{line} --help"), folder.path());
        assert_eq!(
            output.status.code(),
            Some(0),
            "{line}: {}",
            text(&output.stderr)
        );
        accepted += 1;
    }
    assert!(accepted > 20, "{accepted}");
    for wrong in [
        "crashpoint explore --no-such-flag",
        "crashpoint explore --crashes 9",
    ] {
        let output = shell(&format!("{wrong} --help"), folder.path());
        assert_eq!(output.status.code(), Some(2), "{wrong}");
    }
}

/// The flags that no command line of a page has, each behind its command: `soak --mutant`.
fn flags_missing_in(page: &str) -> Vec<String> {
    let help = |arguments: &[&str]| text(&crashpoint(&[arguments, &["--help"]].concat()).stdout);
    let all = help(&[]);
    let commands = all.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands = commands.take_while(|line| !line.is_empty());
    // What continues a description is indented further.
    let commands = commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let mut missing = Vec::new();
    for command in commands.filter(|command| !["", "help"].contains(command)) {
        let begin = format!("crashpoint {command} ");
        let lines = page.lines().filter(|line| line.contains(&begin));
        let used: Vec<&str> = lines.flat_map(|line| line.split([' ', '='])).collect();
        let help = help(&[command]);
        let options = help.lines().map(str::trim_start);
        let options = options.filter(|line| line.starts_with('-'));
        let flags = options.filter_map(|line| {
            let mut words = line.split([' ', ',']);
            words.find(|word| word.starts_with("--"))
        });
        let flags = flags.filter(|flag| *flag != "--help" && !used.contains(flag));
        missing.extend(flags.map(|flag| format!("{command} {flag}")));
    }
    missing
}

#[test]
fn the_readme_uses_every_flag_of_every_command() {
    assert_eq!(flags_missing_in(README), [""; 0]);
    let without = README.replace("--trace", "");
    assert_eq!(flags_missing_in(&without), ["replay --trace"]);
}

#[test]
fn the_readme_has_every_exit_code_with_its_meaning() {
    let table: String = Exit::ALL
        .map(|exit| format!("| {} | {} |\n", exit.code(), exit.meaning()))
        .concat();
    assert!(README.contains(&table), "{table}");
}

#[test]
fn dots_stand_for_lines_and_nothing_else_is_skipped() {
    for (printed, expected, fit) in [
        (&["a", "b"][..], &["a", "b"][..], true),
        (&["a", "x", "y", "b"], &["a", "...", "b"], true),
        (&["a", "b"], &["a", "...", "b"], true),
        (&["a", "x"], &["a"], false),
        (&["a"], &["a", "b"], false),
        (&["a", "c"], &["a", "...", "b"], false),
    ] {
        assert_eq!(fits(printed, expected), fit, "{printed:?} {expected:?}");
    }
}
