//! The lanes: a workload that does not call tokio runs the same with a tokio runtime around it.

use crashpoint_simulator::{
    Judged as _, Lane, Schedule, Source, StoreKind, render, run_schedule, workload,
};

#[test]
fn built_in_workloads_have_the_same_log_and_ledger_in_both_lanes() {
    for own in workload::all() {
        let name = own.name.clone();
        let in_tokio = workload::named(&format!("{name}-in-tokio"));
        let in_tokio = in_tokio.expect("each workload has a twin in tokio");
        assert_eq!((own.lane, in_tokio.lane), (Lane::Own, Lane::Tokio));
        for schedule in [
            "v1; no fault",
            "v1; at life1/append#1:before: crash",
            "v1; at life1/append#1:unacked: crash",
            "v1; at life1/append#2:before: in-doubt-applied",
        ] {
            let schedule: Schedule = schedule.parse().expect("it is a schedule");
            let run = |workload| {
                let run = run_schedule(Source::Fixed(workload), StoreKind::Memory, &schedule);
                let (trial, _) = run.unwrap_or_else(|unfired| panic!("{name}: {unfired}"));
                assert_eq!(trial.verdicts(), []);
                let run = &trial.run;
                let outcome = run.history.outcome().map(ToString::to_string);
                (outcome, render::log(&run.log), render::ledger(&run.history))
            };
            assert_eq!(run(&own), run(&in_tokio), "{name}: {schedule}");
        }
    }
}

#[test]
fn a_mutant_is_caught_in_the_tokio_lane() {
    let name = "order-in-tokio~TerminalAbsorbs";
    let mutant = workload::named(name).expect("mutants have twins, too");
    assert_eq!(mutant.name, name);
    let schedule: Schedule = "v1; at life1/append#3:before: crash"
        .parse()
        .expect("it is");
    let run = run_schedule(Source::Fixed(&mutant), StoreKind::Memory, &schedule);
    let (trial, tape) = run.expect("the fault fires");
    assert_eq!(tape.workload, name);
    let mut oracles = trial.verdicts().iter().map(|verdict| verdict.oracle);
    assert!(oracles.any(|oracle| oracle == "terminal-absorbs"));
}
