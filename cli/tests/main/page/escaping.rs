//! No text of a user's breaks out of the page: whatever names, payloads, blobs and messages say,
//! the page has the same elements, and nothing in it is invisible.

use std::sync::{Arc, LazyLock};

use crashpoint::protocol::Role;
use crashpoint::{Direction, Label};
use crashpoint_cli::page::{ExplainedRun, of_schedule};
use crashpoint_simulator::oracle::Verdict;
use crashpoint_simulator::steps::Steps;
use crashpoint_simulator::workload::Workload;
use crashpoint_simulator::{Fired, LifeEnd, Refusal, Run, StoreKind, What};
use proptest::prelude::*;

use super::{named, page, runs, violated};

/// What has broken pages before.
pub(super) const NASTY: &[&str] = &[
    "<script>document.documentElement.dataset.pwned = 1</script>",
    "\"><img src=x onerror=\"document.documentElement.dataset.pwned = 1\">",
    "' onmouseover='alert(1)' data-x='",
    "</title></style></script><!-- ]]> &lt; &#x41;",
    "admin\u{202e}gpj.exe \u{2066}x\u{2069} \u{200b}",
    "bell\u{7} escape\u{1b}[2J null\u{0} \u{85}",
    "line\nbreak\r\ttab\u{2028}",
    "${alert(1)} {{7*7}} javascript:alert(1)",
    "\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{65e5}\u{672c}\u{8a9e} e\u{301}",
];

/// Puts `text` into every place of a run that a user has a say in.
fn spoil(run: &mut Run, text: &str) {
    for entry in &mut run.history.0 {
        match &mut entry.what {
            What::Sent(row) | What::Landed(row) => {
                let row = Arc::make_mut(row);
                if let (Some(blob), false) = (&mut row.output_blob, row.task_id.is_empty()) {
                    // The engine's own blobs have a form; tasks' outputs are whatever they are.
                    if row.kind == crashpoint::RowKind::CompensationCompletion {
                        *blob = text.as_bytes().to_vec();
                    }
                }
            }
            What::Effect(effect) => {
                let effect = Arc::make_mut(effect);
                for field in [&mut effect.name, &mut effect.payload, &mut effect.key] {
                    *field = text.into();
                }
            }
            What::Started(attempt) => attempt.task = text.into(),
            What::Finished { task, .. } => *task = text.into(),
            What::Fault(Fired { point, .. }) => *point = format!("{point}{text}").into(),
            What::Returned(end @ LifeEnd::Fenced) => {
                *end = LifeEnd::Refused(Refusal::Other(text.to_owned()));
            }
            What::Panicked(message) | What::StoreFailed(message) => text.clone_into(message),
            _ => {}
        }
    }
}

/// A workload whose names say `text`.
fn spoiled_workload(text: &str) -> Workload {
    let mut workload = named("order~FencedStops");
    workload.name = text.to_owned();
    workload.definition.name = text.into();
    for state in &mut workload.definition.states {
        let spoiled: Label = Arc::from(format!("{text}{}", state.label));
        state.label = spoiled.clone();
        if let Role::Task(task) = &mut state.role {
            task.name = spoiled;
        }
    }
    workload
}

/// A page on which everything that may be a user's says `text`.
pub(super) fn spoiled(text: &str) -> String {
    static VIOLATED: LazyLock<Run> =
        LazyLock::new(|| violated(&named("order~FencedStops"), "c1t1"));
    let mut run = VIOLATED.clone();
    spoil(&mut run, text);
    // What the oracles would say depends on the names; what is asked here is how it is shown.
    let verdicts = [Verdict {
        oracle: "liveness",
        message: text.to_owned(),
    }];
    let explained = ExplainedRun {
        workload: &spoiled_workload(text),
        run: &run,
        verdicts: &verdicts,
        store: StoreKind::Memory,
        command: text,
    };
    let steps = Steps::of(&run, StoreKind::Memory, &[]);
    of_schedule(&explained, None, Some(&steps))
}

/// The names of the tags, in order, and how many attributes each has.
fn tags(page: &str) -> Vec<(&str, usize)> {
    let mut tags = Vec::new();
    for piece in page.split('<').skip(1) {
        let tag = piece.split('>').next().unwrap_or_default();
        let name = tag.split([' ', '\n']).next().unwrap_or_default();
        // Outside of the values: one of them may end in an equals sign.
        let outside = tag.split('"').step_by(2);
        tags.push((name, outside.filter(|text| text.ends_with('=')).count()));
    }
    tags
}

/// Fails with the first tag in which the page differs from one of harmless texts.
fn check(text: &str) {
    static HARMLESS: LazyLock<String> = LazyLock::new(|| spoiled("harmless"));
    let page = spoiled(text);
    let (found, expected) = (tags(&page), tags(&HARMLESS));
    let differ = found
        .iter()
        .zip(&expected)
        .find(|(found, expected)| found != expected);
    assert_eq!(differ, None, "{text:?}");
    assert_eq!(found.len(), expected.len(), "{text:?}");
    assert_eq!(invisible(&page), [' '; 0], "{text:?}");
}

/// The characters of the page that are not plainly visible.
fn invisible(page: &str) -> Vec<char> {
    let is_plain = |character: char| character == '\n' || !character.is_control();
    let is_bidi = |character: char| matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    page.chars()
        .filter(|character| !is_plain(*character) || is_bidi(*character))
        .collect()
}

#[test]
fn nasty_texts_change_neither_the_elements_nor_what_is_visible() {
    for text in NASTY {
        check(text);
    }
}

#[test]
fn a_page_that_does_not_escape_is_noticed() {
    let harmless = "<p title=\"x\">x</p>";
    for broken in [
        "<p title=\"x\"><b>x</p>",
        "<p title=\"x\" onclick=\"x\">x</p>",
    ] {
        assert_ne!(tags(broken), tags(harmless));
    }
    assert_eq!(invisible("a\u{202e}b\u{7}"), ['\u{202e}', '\u{7}']);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_text_keeps_the_elements(text in "[\\PC\\pC<>&\"'/= ]{1,40}") {
        check(&text);
    }
}

#[test]
fn an_undo_is_told_apart_from_what_it_undoes() {
    let workload = named("order-fails");
    let run = &runs(&workload, "c0").next().expect("there is a schedule");
    let undoes = run
        .history
        .effects()
        .any(|(_, _, effect)| effect.direction == Direction::Undo);
    assert!(undoes);
    assert!(page(&workload, run).contains("undo <bdi>charge</bdi>"));
}
