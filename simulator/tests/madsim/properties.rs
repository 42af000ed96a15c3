//! Resuming reproduces the state, for drawn workflows under drawn schedules, in each lane.
//!
//! The oracles compare the state of every life with the fold of the durable rows, and the outcome of
//! every resume with the log. What breaks shrinks to a schedule in words.

use crashpoint::protocol::{Faithful, Rule, Without};
use crashpoint::rebuild;
use crashpoint_simulator::choices::{AnyChoices, Choices, Edited, any_choices};
use crashpoint_simulator::madsim_lane::{Defect, Plan, simulate_world};
use crashpoint_simulator::oracle::judge;
use crashpoint_simulator::workload::generated::{self, generated};
use crashpoint_simulator::{Lane, Run, Schedule, Settings, simulate_with};
use expect_test::{Expect, expect};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

/// The faults of a schedule in the lanes with one node.
const BUDGET: &str = "c2f1t1x1e1";

/// A lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum In {
    Own,
    Tokio,
    Madsim,
}

/// Whether an append in doubt is read back before it is sent again, as it should be, or resent
/// blindly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Faithful,
    ResendsBlindly,
}

/// Runs what the choices draw. An error has the broken promise, and the schedule in words.
fn check(lane: In, engine: Engine, choices: impl Choices + 'static) -> Result<(), String> {
    match lane {
        In::Own => on_one_node(Lane::Own, engine, choices),
        In::Tokio => on_one_node(Lane::Tokio, engine, choices),
        In::Madsim => on_several_nodes(engine, choices),
    }
}

fn on_one_node(
    lane: Lane,
    engine: Engine,
    mut choices: impl Choices + 'static,
) -> Result<(), String> {
    let nodes = generated::draw(&mut choices);
    let mut workload = match engine {
        Engine::Faithful => generated(&nodes, Faithful),
        Engine::ResendsBlindly => generated(&nodes, Without(Rule::ReadBackBeforeResend)),
    };
    workload.lane = lane;
    let settings = Settings::within(BUDGET.parse().expect("a budget"));
    let (run, _) = simulate_with(&workload, &settings, choices);
    let schedule = Schedule::of(&run.history);
    match judge(&workload, &run).first() {
        Some(verdict) => Err(format!("{}\n{schedule}", verdict.oracle)),
        None => reproduced(&run).map_err(|fault| format!("{fault}\n{schedule}")),
    }
}

fn on_several_nodes(engine: Engine, mut choices: impl Choices) -> Result<(), String> {
    let plan = Plan::draw(&mut choices);
    let seed = choices.choose("plan/seed", 1 << 16) as u64;
    let defect = (engine == Engine::ResendsBlindly).then_some(Defect::ResentBlindly);
    let report = simulate_world(seed, plan, defect);
    let plan = &report.plan;
    if let Some(broken) = report.broken.first() {
        return Err(format!("{}\n{plan}", broken.verdict.oracle));
    }
    let mut runs = report.runs.iter();
    runs.try_for_each(|(_, run)| reproduced(run))
        .map_err(|fault| format!("{fault}\n{plan}"))
}

/// Every prefix of the log rebuilds, and the whole log to an ended run.
fn reproduced(run: &Run) -> Result<(), String> {
    for rows in 0..=run.log.len() {
        rebuild(&run.log[..rows]).map_err(|error| error.to_string())?;
    }
    let state = rebuild(&run.log).map_err(|error| error.to_string())?;
    match state.is_terminal() || state.is_stuck() {
        true => Ok(()),
        false => Err("the log does not end".to_owned()),
    }
}

/// What proptest ends with if something breaks: the choices, and the promise with the schedule.
fn minimum(lane: In, engine: Engine, cases: u32) -> Option<(AnyChoices, String)> {
    let config = Config {
        failure_persistence: None,
        ..Config::with_cases(cases)
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let outcome = runner.run(&any_choices(), |choices| {
        check(lane, engine, choices).map_err(TestCaseError::fail)
    });
    match outcome {
        Ok(()) => None,
        Err(TestError::Fail(why, choices)) => Some((choices, why.message().to_owned())),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

fn assert_holds(lane: In, cases: u32) {
    if let Some((choices, why)) = minimum(lane, Engine::Faithful, cases) {
        panic!("{why}\n{choices:?}");
    }
}

#[test]
fn resuming_reproduces_the_state_in_the_own_lane() {
    assert_holds(In::Own, 400);
}

#[test]
fn resuming_reproduces_the_state_in_the_tokio_lane() {
    assert_holds(In::Tokio, 400);
}

#[test]
fn resuming_reproduces_the_state_in_the_madsim_lane() {
    assert_holds(In::Madsim, 200);
}

/// The control: a broken engine is found in each lane, and what is left of its schedule is short.
fn check_shrinks(lane: In, expected: &Expect) {
    let found = minimum(lane, Engine::ResendsBlindly, 2_000);
    let (choices, why) = found.expect("an engine that resends blindly breaks a promise");
    // With several nodes the promise that breaks first depends on how long messages take.
    let why = match lane {
        In::Own | In::Tokio => &*why,
        In::Madsim => why.split_once('\n').expect("the promise has a line").1,
    };
    expected.assert_eq(&format!("{why}\n{choices:?}\n"));
}

#[test]
fn a_broken_promise_shrinks_to_a_schedule_in_words_in_the_own_lane() {
    check_shrinks(
        In::Own,
        &expect![[r#"
        visits-rerun
        v1; at life1/do b:before-effect: takeover
        ["life1/do b:before-effect: 2", "plan/state/more: 1", "plan/state/more (1 before): 1"]
    "#]],
    );
}

#[test]
fn a_broken_promise_shrinks_to_a_schedule_in_words_in_the_tokio_lane() {
    check_shrinks(
        In::Tokio,
        &expect![[r#"
        visits-rerun
        v1; at life1/do b:before-effect: takeover
        ["life1/do b:before-effect: 2", "plan/state/more: 1", "plan/state/more (1 before): 1"]
    "#]],
    );
}

#[test]
fn a_broken_promise_shrinks_to_a_plan_in_words_in_the_madsim_lane() {
    check_shrinks(
        In::Madsim,
        &expect![[r#"
        2 workers
        at    0 ms  run 0, linear, whose client waits 200 ms for a worker
        at    0 ms  worker 0 dies, and is down for 6 ms

        ["plan/fault/more: 1"]
    "#]],
    );
}

/// Draws that broke a promise once, with the engine that they broke: the interesting draws by label.
const REGRESSIONS: &[(In, &[(&str, usize)])] = &[
    (
        In::Own,
        &[
            ("plan/state/more", 1),
            ("plan/state/more", 1),
            ("life1/do b:before-effect", 2),
        ],
    ),
    (
        In::Tokio,
        &[
            ("plan/state/more", 1),
            ("plan/state/more", 1),
            ("life1/do b:before-effect", 2),
        ],
    ),
    (In::Madsim, &[("plan/fault/more", 1)]),
];

#[test]
fn what_broke_a_promise_once_breaks_none_with_the_engine_as_it_is() {
    assert!(!REGRESSIONS.is_empty(), "an empty list proves nothing");
    for (lane, draws) in REGRESSIONS {
        let choices = || Edited::of(draws.iter().copied());
        let broken = check(*lane, Engine::ResendsBlindly, choices());
        assert!(
            broken.is_err(),
            "{lane:?}: the draws do not break the engine that they broke"
        );
        assert_eq!(
            check(*lane, Engine::Faithful, choices()),
            Ok(()),
            "{lane:?}"
        );
    }
}
