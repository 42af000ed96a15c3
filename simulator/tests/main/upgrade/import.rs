//! Mistakes with the cursor of a stepped task, each beside a correct upgrade.

use std::sync::Arc;

use crashpoint::{State, Workflow};
use crashpoint_simulator::{UpgradeTest, upgrade_test_in};
use expect_test::expect;

use super::finds;
use super::shop::{Bytes, Cursor, Line, LineOrNumber, Load, Shop, imported, work};

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Import {
    Load,
    Loaded,
}

fn import<C: Cursor>(shop: &Arc<Shop>, version: u32) -> Workflow<Import> {
    Workflow::builder("import", version)
        .accepts([1])
        .stepped(
            Import::Load,
            "load",
            Load::<_, C>::new(shop, Import::Loaded),
        )
        .exit(Import::Loaded)
        .build()
        .expect("the workflow is valid")
}

fn plain(shop: &Arc<Shop>) -> Workflow<Import> {
    Workflow::builder("import", 2)
        .accepts([1])
        .task(Import::Load, "load", work(shop, "load", Import::Loaded))
        .exit(Import::Loaded)
        .build()
        .expect("the workflow is valid")
}

/// From a cursor that counts lines to another cursor.
fn to(new: fn(&Arc<Shop>) -> Workflow<Import>) -> UpgradeTest<Import, Import, Shop> {
    upgrade_test_in(Shop::default, Import::Load, &(), |_, shop| {
        import::<u64>(shop, 1)
    })
    .to_in(Import::Load, &(), move |_, shop| new(shop))
    .invariant("every line is imported once", imported)
}

#[test]
fn another_type_of_cursor_needs_to_read_the_old_cursor() {
    finds(
        || to(|shop| import::<Line>(shop, 2)).run(),
        &expect![[r#"
            the new release refuses logs of the old release
              runs of version 1 are refused: it can't read an output or a cursor of load: invalid type: integer `1`, expected struct Line at line 1 column 1
                open in Load: 1 log
              runs of version 1 are refused: it can't read an output or a cursor of load: invalid type: integer `2`, expected struct Line at line 1 column 1
                open in Load: 1 log
            it must carry every log, except in the states that the test names with refuses()"#]],
    );
    to(|shop| import::<LineOrNumber>(shop, 2)).run();
}

#[test]
fn runs_before_their_first_cursor_are_carried_and_the_others_refused() {
    let report = to(|shop| import::<Line>(shop, 2))
        .refuses([Import::Load])
        .run();
    let told = report.to_string();
    let (_, places) = told
        .split_once('\n')
        .expect("the report has a line for each place");
    expect![[r#"
        the new release, for 63 logs of the old release: carries 56, refuses 7
          runs of version 1 are carried
            open in Load: 2 logs
            rolling back from Load: 15 logs
            done in Loaded: 9 logs
            rolled back from Load: 30 logs
          runs of version 1 are refused: it can't read an output or a cursor of load: invalid type: integer `1`, expected struct Line at line 1 column 1
            open in Load: 3 logs
          runs of version 1 are refused: it can't read an output or a cursor of load: invalid type: integer `2`, expected struct Line at line 1 column 1
            open in Load: 4 logs
        the old release, for 13 logs of the new release: carries 0, refuses 13
          runs of version 2 are refused: it accepts the versions [1]
            open in Load: 6 logs
            done in Loaded: 7 logs"#]].assert_eq(places);
}

#[test]
fn another_unit_under_the_same_type_is_found_by_an_invariant() {
    finds(
        || to(|shop| import::<Bytes>(shop, 2)).run(),
        &expect![[r#"
            in the rollout old-new: invariants: every line is imported once: done, and imported [0, 1, 1, 2]
            the window: life 1 has sent row 2 (a cursor of load), which is durable, and does not know it yet: the process crashes
            what to change: compare the timeline with what the invariant asks for: the last effect before the fault, and what runs again after it
            found after 157 schedules; no fault can be left out (1 simulation)"#]],
    );
    to(|shop| import::<u64>(shop, 2)).run();
}

#[test]
fn a_stepped_task_that_became_plain_can_not_go_on_from_a_cursor() {
    let test = || {
        upgrade_test_in(Shop::default, Import::Load, &(), |_, shop| {
            import::<u64>(shop, 1)
        })
        .to_in(Import::Load, &(), |_, shop| plain(shop))
    };
    finds(
        || test().run(),
        &expect![[r#"
            the new release refuses logs of the old release
              runs of version 1 are refused: its task load is Plain, and the log needs Stepped
                open in Load: 2 logs
            it must carry every log, except in the states that the test names with refuses()"#]],
    );
}
