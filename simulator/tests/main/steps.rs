//! The steps of a schedule: what holds after each event, as text and as a part of a page.

use crashpoint_simulator::steps::{Section, Steps};
use crashpoint_simulator::{
    Recording, Schedule, Source, StoreKind, Trial, moment, render, run_schedule, scrubber, workload,
};

/// A schedule of the built-in order, and its steps.
fn stepped(store: StoreKind, schedule: &str) -> (Trial, Steps) {
    let order = workload::named("order").expect("it is built in");
    let schedule: Schedule = schedule.parse().expect("it is a schedule");
    let (trial, tape) = run_schedule(Source::Fixed(&order), store, &schedule).expect("it fires");
    let steps = Steps::of_recording(Source::Fixed(&order), &Recording::Tape(tape));
    (trial, steps.expect("nothing has changed"))
}

fn section<'a>(steps: &'a Steps, title: &str) -> &'a Section {
    let mut sections = steps.sections.iter();
    let section = sections.find(|section| section.title == title);
    section.unwrap_or_else(|| panic!("there is a section {title}"))
}

fn held(section: &Section, event: usize) -> Vec<&str> {
    let held = section.spans.iter().filter(|span| span.holds_after(event));
    held.map(|span| span.words.as_str()).collect()
}

#[test]
fn the_last_step_has_the_log_and_the_effects_of_the_run() {
    for store in [StoreKind::Memory, StoreKind::Redb] {
        let (trial, steps) = stepped(store, "v1; at life1/append#3:before: crash");
        let last = steps.events.len() - 1;
        assert_eq!(steps.events.len(), trial.run.history.0.len());
        assert_eq!(
            held(section(&steps, "log"), last),
            render::log(&trial.run.log)
        );
        let effects = held(section(&steps, "effects"), last).len();
        assert_eq!(effects, render::ledger(&trial.run.history).len());
    }
}

#[test]
fn a_log_grows_by_a_row_a_step_at_most() {
    let (_, steps) = stepped(StoreKind::Memory, "v1; no fault");
    let lengths = (0..steps.events.len()).map(|at| held(section(&steps, "log"), at).len());
    let lengths: Vec<usize> = lengths.collect();
    assert!(
        lengths
            .windows(2)
            .all(|two| two[1] == two[0] || two[1] == two[0] + 1)
    );
    assert!(lengths.first() < lengths.last());
}

#[test]
fn a_life_that_crashed_is_dead_and_the_next_knows_what_it_has_loaded() {
    let (_, steps) = stepped(StoreKind::Memory, "v1; at life1/append#3:unacked: crash");
    let last = steps.events.len() - 1;
    assert_eq!(held(section(&steps, "life 1"), last), ["is dead"]);
    let of_second = &section(&steps, "life 2").spans;
    let knows = of_second.iter().map(|span| span.words.as_str());
    let knows: Vec<&str> = knows.collect();
    assert!(
        knows[0].starts_with("knows nothing of the log"),
        "{knows:?}"
    );
    assert!(
        knows[1].starts_with("knows 4 rows, the last: #3"),
        "{knows:?}"
    );
}

#[test]
fn a_clock_that_jumps_is_shown() {
    let (_, steps) = stepped(
        StoreKind::Memory,
        "v1; at life1/append#1:before: clock-ahead",
    );
    let last = steps.events.len() - 1;
    let clock = held(section(&steps, "clock"), last);
    assert!(
        clock[0].ends_with("the wall clock is 3600s ahead"),
        "{clock:?}"
    );
    assert_eq!(held(section(&steps, "clock"), 0), ["0s since the start"]);
}

#[test]
fn one_thing_of_a_kind_holds_after_each_event() {
    let (_, steps) = stepped(StoreKind::Memory, "v1; at life1/append#2:before: crash");
    for title in ["clock"] {
        for event in 0..steps.events.len() {
            assert_eq!(
                held(section(&steps, title), event).len(),
                1,
                "{title} {event}"
            );
        }
    }
}

#[test]
fn a_page_lists_every_step_without_a_script_and_escapes_it() {
    let (_, mut steps) = stepped(StoreKind::Memory, "v1; no fault");
    steps.events[0] = "<script>".to_owned();
    let page = scrubber::markup(&steps, Some(3), None);
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"));
    assert_eq!(page.matches("<li data-from=").count(), {
        let spans = steps.sections.iter().map(|section| section.spans.len());
        spans.sum::<usize>() + steps.events.len()
    });
    assert!(
        page.contains("<p class=\"controls\" hidden>"),
        "a script shows the controls"
    );
    assert!(page.contains("value=\"3\"") && page.contains("where it breaks"));
    assert!(page.contains("<details class=\"steps\" data-open>"));
    let at_a_fault = scrubber::markup(&steps, None, Some(2));
    assert!(at_a_fault.contains("value=\"2\"") && !at_a_fault.contains("where it breaks"));
    let from_the_start = scrubber::markup(&steps, None, None);
    assert!(from_the_start.contains("value=\"0\"") && !from_the_start.contains("data-open"));
}

#[test]
fn a_reader_begins_where_a_promise_breaks_or_else_at_the_first_fault() {
    let shown = |name: &str| {
        let workload = workload::named(name).expect("it is built in");
        let schedule: Schedule = "v1; at life1/append#3:before: crash"
            .parse()
            .expect("it parses");
        let run = run_schedule(Source::Fixed(&workload), StoreKind::Memory, &schedule);
        let (trial, _) = run.expect("the crash fires");
        let broken = moment::broken(&workload, &trial.run, &trial.verdicts);
        let place = moment::first_shown(&trial.run, &broken).expect("something happens");
        Steps::of(&trial.run, StoreKind::Memory, &[]).events[place].clone()
    };
    expect_test::expect!["life 1  FAULT     at life1/append#3:before: crash (the process crashes)"]
        .assert_eq(&shown("order"));
    expect_test::expect![
        "life 3  sends     #5   claim                   at Shipped, life 0000000000000003"
    ]
    .assert_eq(&shown("order~TerminalAbsorbs"));
}
