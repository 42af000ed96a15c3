//! The program `compare`: the shape of its JSON, what it refuses, its soak and its churn.

use std::path::Path;
use std::process::{Command, Output};

use crashpoint_benches::file_system_of;
use serde_json::Value;

/// Runs the program in a folder in memory, where there is one, so that no test waits for a slow disk.
fn compare(arguments: &[&str]) -> Output {
    let memory = tempfile::tempdir_in("/dev/shm");
    let folder = memory.or_else(|_| tempfile::tempdir());
    let folder = folder.expect("a folder");
    let program = env!("CARGO_BIN_EXE_compare");
    let mut command = Command::new(program);
    command.args(arguments).arg("--dir").arg(folder.path());
    command.output().expect("the program runs")
}

fn said(output: &Output) -> String {
    let bytes = [&*output.stdout, &*output.stderr].concat();
    String::from_utf8(bytes).expect("it says text")
}

fn keys(object: &Value) -> Vec<&str> {
    let object = object.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

/// Runs each store for one short turn.
fn json(workload: &str) -> Value {
    let arguments = [
        workload,
        "--json",
        "--allow-tmpfs",
        "--rounds",
        "1",
        "--turn",
        "20ms",
        "--writers",
        "1,4",
    ];
    let output = compare(&arguments);
    assert!(output.status.success(), "{}", said(&output));
    serde_json::from_slice(&output.stdout).expect("it is one document")
}

#[test]
fn results_have_a_shape_that_programs_can_rely_on() {
    for (workload, subjects) in [("append", 8), ("lifecycle", 8), ("load", 7)] {
        let document = json(workload);
        assert_eq!(keys(&document), ["ratios", "rows", "version"]);
        assert_eq!(document["version"], 1);
        let rows = document["rows"].as_array().expect("a list");
        assert_eq!(rows.len(), 2 * subjects, "{workload}");
        for row in rows {
            let expected = [
                "bytes_per_row",
                "flushes_per_row",
                "p50_us",
                "p99_us",
                "rows_per_second",
                "subject",
                "timer_stall_ms",
                "writers",
            ];
            assert_eq!(keys(row), expected);
            let rate = row["rows_per_second"].as_f64().expect("a number");
            assert!(rate > 0.0, "{row}");
        }
        let ratios = document["ratios"].as_array().expect("a list");
        assert_eq!(
            ratios.len(),
            2 * (subjects - 1),
            "ours over each of the others"
        );
        for ratio in ratios {
            assert_eq!(
                keys(ratio),
                ["denominator", "numerator", "ratio", "writers"]
            );
            assert_eq!(ratio["numerator"], "crashpoint-redb");
        }
    }
}

#[test]
fn a_folder_in_memory_is_refused() {
    let memory = Path::new("/dev/shm");
    if file_system_of(memory) != "tmpfs" {
        return;
    }
    let program = env!("CARGO_BIN_EXE_compare");
    let mut command = Command::new(program);
    let output = command.args(["append", "--dir", "/dev/shm"]).output();
    let output = output.expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
    let expected = "error: /dev/shm is in memory, on tmpfs: name another folder with --dir, or pass \
                    --allow-tmpfs\n";
    assert_eq!(said(&output), expected);
}

/// Processes 0, 1, 4 and 5 are killed at work, 2 and 3 while they open the store. Processes 3 to 5 clear
/// what earlier ones left.
#[test]
fn a_soak_kills_processes_on_one_file_and_finds_every_row() {
    let output = compare(&["soak", "--kills", "6", "--allow-tmpfs"]);
    assert!(output.status.success(), "{}", said(&output));
    let said = said(&output);
    assert!(said.starts_with("6 kills in "), "{said}");
    assert!(said.contains("none lost and none twice"), "{said}");
}

#[test]
fn a_soak_fails_where_the_file_exceeds_its_limit() {
    let output = compare(&[
        "soak",
        "--kills",
        "1",
        "--allow-tmpfs",
        "--bytes-max",
        "4096",
    ]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("the file grew beyond 4096 bytes"));
}

/// The number before the word, in each line that has it.
fn numbers_before(word: &str, said: &str) -> Vec<u64> {
    let before = said.lines().filter_map(|line| line.split_once(word));
    let last = before.filter_map(|(before, _)| before.rsplit(' ').next());
    last.filter_map(|number| number.parse().ok()).collect()
}

// The length was sampled ten times, while no writer was at work. So the maximum left out the space that
// a commit needs for a while. Now it is sampled after every clear.
#[test]
fn churn_prints_the_maximum_of_all_samples() {
    let output = compare(&["churn", "--runs", "500", "--allow-tmpfs"]);
    assert!(output.status.success(), "{}", said(&output));
    let said = said(&output);
    let lengths = numbers_before(" bytes", &said);
    let [printed @ .., longest] = &*lengths else {
        panic!("no lengths: {said}");
    };
    assert_eq!(printed.len(), 10, "{said}");
    assert!(printed.iter().all(|length| length <= longest), "{said}");
    assert!(
        said.contains(&format!("\nat most {longest} bytes, in ")),
        "{said}"
    );
    // After each of 500 clears, and for each of the ten lengths.
    assert_eq!(numbers_before(" samples", &said), [510], "{said}");
}

#[test]
fn churn_fails_where_the_file_exceeds_its_limit() {
    let few = ["churn", "--runs", "500", "--allow-tmpfs", "--bytes-max"];
    for (most, code) in [("33554432", 0), ("4096", 2)] {
        let arguments: Vec<&str> = few.into_iter().chain([most]).collect();
        let output = compare(&arguments);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    }
}
