//! What is on a page.

use crashpoint_cli::page::ExplainedRun;
use crashpoint_simulator::oracle::judge;
use crashpoint_simulator::workload::{Rule, mutants};
use crashpoint_simulator::{StoreKind, What};
use expect_test::expect;

use super::{named, page, runs, violated};

/// The text of a page without its elements, a line for each line of the timeline.
fn timeline(page: &str) -> String {
    let list = page.split("<ol>").nth(1).unwrap_or_default();
    let list = list.split("</ol>").next().unwrap_or_default();
    let summaries = list.split("<summary>").skip(1);
    let lines = summaries.map(|rest| {
        let summary = rest.split("</summary>").next().unwrap_or_default();
        let texts = summary.split('<').map(|piece| match piece.split_once('>') {
            Some((_, text)) => text,
            None => piece,
        });
        texts.collect::<String>().replace("&quot;", "\"")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_timeline_tells_what_happened_a_line_each() {
    let workload = named("linear");
    let run = &runs(&workload, "c1").nth(3).expect("there are as many");
    expect![[r#"
        life 1 begins as a new run
        life 1 appends #0 claim at Fetch, input {"page":7}
        life 1 begins fetch (visit 0)
        life 1 effect: fetch the page
        life 1 appends #1 fetch is done, enters Parse
        life 1 begins parse (visit 1)
        life 1 effect: parse it
        life 1 appends #2 parse is done, enters Publish
        life 1 begins publish (visit 2)
        life 1 effect: publish it
        life 1 sends #3 publish is done, enters Published
        life 1 the process crashes at life1/append#3:before: crash
        life 2 begins by resuming
        life 2 loads 3 rows
        life 2 appends #3 claim at Publish
        life 2 begins publish (visit 2)
        life 2 effect: publish it repeated, the key is known
        life 2 appends #4 publish is done, enters Published
        life 2 ends: done in Published
        life 3 begins by resuming, after the last fault
        life 3 loads 5 rows
        life 3 ends: done in Published"#]]
    .assert_eq(&timeline(&page(&workload, run)));
}

#[test]
fn a_page_has_all_its_parts_and_nothing_from_elsewhere() {
    let workload = named("order~FencedStops");
    let run = violated(&workload, "c1t1");
    let page = page(&workload, &run);
    for part in [
        "Broken first: ",
        "<h2>Schedule</h2>",
        "another process takes over the run",
        "crashpoint replay TOKEN",
        "<h2>Timeline</h2>",
        "class=\"lane l2\"",
        "breaks here",
        "<h2>Log</h2>",
        "<h2>Effects</h2>",
        "knew the key",
        "<h2>Workflow</h2>",
        "3 of 3 edges taken",
        "prefers-color-scheme: dark",
        "@media print",
    ] {
        assert!(page.contains(part), "{part:?} is missing");
    }
    for elsewhere in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(elsewhere), "{elsewhere:?} is there");
    }
}

#[test]
fn a_lane_is_drawn_for_each_life_and_every_mark_is_linked_to_what_is_there() {
    let workload = named("order~FencedStops");
    let run = violated(&workload, "c1t1");
    let page = page(&workload, &run);
    let lives = run
        .history
        .select(|what| matches!(what, What::Began(_)).then_some(()));
    for (_, life, ()) in lives {
        assert!(
            page.contains(&format!("class=\"lane l{life}\"")),
            "life {life}"
        );
    }
    let links = page.split("href=\"#").skip(1);
    let targets: Vec<&str> = links.filter_map(|rest| rest.split('"').next()).collect();
    assert!(targets.len() > 8, "{targets:?}");
    for target in targets {
        assert!(
            page.contains(&format!("id=\"{target}\"")),
            "{target} is nowhere"
        );
    }
}

#[test]
fn the_first_broken_promise_is_placed_where_it_broke() {
    let workload = named("order~FencedStops");
    let run = violated(&workload, "t1");
    let verdicts = judge(&workload, &run);
    let schedule = ExplainedRun {
        workload: &workload,
        run: &run,
        verdicts: &verdicts,
        store: StoreKind::Memory,
        command: "",
    };
    let broken = schedule.broken();
    let first = broken.first().expect("something is broken");
    let place = first.place.expect("it has a place");
    let mut before = run.clone();
    before.history.0.truncate(place);
    let still = judge(&workload, &before);
    assert!(
        still
            .iter()
            .all(|verdict| verdict.oracle != first.verdict.oracle)
    );
    before.history.0.push(run.history.0[place].clone());
    let now = judge(&workload, &before);
    assert!(
        now.iter()
            .any(|verdict| verdict.oracle == first.verdict.oracle)
    );
    assert!(broken.is_sorted_by_key(|broken| broken.place.unwrap_or(usize::MAX)));
}

/// Oracles are made for whole histories; here each is asked about every prefix.
#[test]
fn every_mutant_s_violation_has_a_page() {
    let mut pages = 0;
    for &rule in Rule::ALL {
        for workload in mutants(rule) {
            let mut runs = runs(&workload, "c1").take(40);
            let violated = runs.find(|run| !judge(&workload, run).is_empty());
            let Some(run) = violated else { continue };
            let page = page(&workload, &run);
            assert!(page.contains("Broken"), "{}", workload.name);
            pages += 1;
        }
    }
    assert!(pages >= 8, "{pages} pages");
}
