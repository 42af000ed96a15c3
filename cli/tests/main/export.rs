//! `export`: what it writes, what it leaves out, and that it only reads.

use crashpoint::{ExportReader, Payloads, Status};
use expect_test::expect;

use crate::command::text;
use crate::stored::{damaged, named, two_runs};

#[test]
fn an_export_has_every_row_of_every_run() {
    two_runs().check("export PATH", &expect![[r#"
        {"export":{"version":1,"redacted":false}}
        {"run":{"id":"order-1"}}
        {"row":{"sequence":0,"kind":"claim","state":"Charge","task":"","blob":"010101010101010101010101010101010101010101010101010101010101010101050000006f7264657203000000000000000000000000a8da769b010000010000000700000053686970706564010400000031393939"}}
        {"row":{"sequence":1,"kind":"compensation_completion","state":"Ship","task":"charge","blob":"227265636569707422"}}
        {"row":{"sequence":2,"kind":"state_entry","state":"Shipped","task":"ship"}}
        {"run":{"id":"order-2"}}
        {"row":{"sequence":0,"kind":"claim","state":"Charge","task":"","blob":"010101010101010101010101010101010101010101010101010101010101010101050000006f7264657203000000000000000000000000a8da769b010000010000000700000053686970706564010400000031393939"}}
        {"row":{"sequence":1,"kind":"claim","state":"Charge","task":"","blob":"010101010101010101010101010101010102020202020202020202020202020202050000006f7264657203000000000000000000000000a8da769b01000001000000070000005368697070656400"}}
        {"row":{"sequence":2,"kind":"compensation_completion","state":"Ship","task":"charge","blob":"227265636569707422"}}
        {"end":{"runs":2,"rows":6}}
        exits with 0
    "#]]);
}

#[test]
fn an_export_of_unfinished_runs_leaves_out_those_that_have_ended() {
    two_runs().check("export PATH --unfinished --redact", &expect![[r#"
        {"export":{"version":1,"redacted":true}}
        {"run":{"id":"order-2"}}
        {"row":{"sequence":0,"kind":"claim","state":"Charge","task":"","blob":"010101010101010101010101010101010101010101010101010101010101010101050000006f7264657203000000000000000000000000a8da769b0100000100000007000000536869707065640100000000"}}
        {"row":{"sequence":1,"kind":"claim","state":"Charge","task":"","blob":"010101010101010101010101010101010102020202020202020202020202020202050000006f7264657203000000000000000000000000a8da769b01000001000000070000005368697070656400"}}
        {"row":{"sequence":2,"kind":"compensation_completion","state":"Ship","task":"charge","blob":""}}
        {"end":{"runs":1,"rows":3}}
        exits with 0
    "#]]);
}

#[test]
fn the_library_reads_what_the_command_writes() {
    let output = two_runs().run("export PATH");
    let runs: Result<Vec<_>, _> = ExportReader::new(&*output.stdout).collect();
    let runs = runs.expect("the export is whole");
    let places: Vec<_> = runs
        .iter()
        .map(|run| {
            let status = Status::of_log(&run.workflow_id, &run.rows).expect("a legal log");
            (&*run.workflow_id, status.rows, run.payloads)
        })
        .collect();
    let kept = Payloads::Kept;
    assert_eq!(places, [("order-1", 3, kept), ("order-2", 3, kept)]);
}

#[test]
fn a_log_that_breaks_the_rules_is_exported_and_a_damaged_one_is_not() {
    let fixture = named("name");
    let output = fixture.run("export PATH --unfinished");
    assert_eq!(output.status.code(), Some(0));
    let ids = text(&output.stdout)
        .matches("\"id\":\"broken name\"")
        .count();
    assert_eq!(ids, 1, "{}", text(&output.stdout));
    damaged().check("export PATH", &expect![[r#"
        {"export":{"version":1,"redacted":false}}
        {"run":{"id":"order-2"}}
        {"row":{"sequence":0,"kind":"claim","state":"Charge","task":"","blob":"010101010101010101010101010101010101010101010101010101010101010101050000006f7264657203000000000000000000000000a8da769b010000010000000700000053686970706564010400000031393939"}}
        {"row":{"sequence":1,"kind":"claim","state":"Charge","task":"","blob":"010101010101010101010101010101010102020202020202020202020202020202050000006f7264657203000000000000000000000000a8da769b01000001000000070000005368697070656400"}}
        {"row":{"sequence":2,"kind":"compensation_completion","state":"Ship","task":"charge","blob":"227265636569707422"}}
        {"end":{"runs":1,"rows":3}}
        error: a run is left out: checkpoint store: row 1 of run "order-1" is damaged: its checksum is 00000000 and should be 4f527b69
        exits with 1
    "#]]);
}

#[test]
fn hostile_names_are_escapes_in_an_export() {
    let fixture = named("a\u{1b}[2J\u{202e}\n");
    let output = fixture.run("export PATH");
    let plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n');
    assert!(output.stdout.iter().all(plain));
    let runs: Result<Vec<_>, _> = ExportReader::new(&*output.stdout).collect();
    assert_eq!(runs.expect("the export is whole").len(), 2);
}
