//! Upgrades of workflows, right and wrong, and what the upgrade test says of each.

mod built_in;
mod import;
mod mistakes;
mod protocol;
mod shop;
mod world;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use crashpoint::{Ctx, State, TaskError, Workflow};
use crashpoint_simulator::{
    Findings, Process, Release, Resumption, UpgradeReport, UpgradeTest, upgrade_test,
    upgrade_test_in,
};
use expect_test::{Expect, expect};

/// The message of an upgrade test that fails, up to its first line that names a schedule.
fn failure(test: impl FnOnce() -> UpgradeReport) -> String {
    let failed = catch_unwind(AssertUnwindSafe(test));
    let panic = failed.expect_err("the test finds the mistake");
    let message = panic.downcast_ref::<String>();
    message.expect("the message is a text").clone()
}

/// Expects the first lines of the failure.
fn finds(test: impl FnOnce() -> UpgradeReport, expected: &Expect) {
    let message = failure(test);
    let what = message.split("\n\n").next().unwrap_or_default();
    let shrunk = |line: &&str| !line.starts_with("shrunk in");
    let lines: Vec<&str> = what.lines().filter(shrunk).collect();
    expected.assert_eq(&lines.join("\n"));
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Mail {
    Write,
    Send,
    Sent,
}

/// Two effects, one after the other.
fn mail(
    process: &Process,
    version: u32,
    accepts: &[u32],
    tasks: [&'static str; 2],
) -> Workflow<Mail> {
    let task = |name: &'static str, next: Mail| {
        let process = process.clone();
        move |ctx: Ctx| {
            let process = process.clone();
            async move {
                process.effect(&ctx, name, "").await;
                Ok::<_, TaskError>(next)
            }
        }
    };
    Workflow::builder("mail", version)
        .accepts(accepts.iter().copied())
        .task(Mail::Write, tasks[0], task("write the mail", Mail::Send))
        .task(Mail::Send, tasks[1], task("send the mail", Mail::Sent))
        .exit(Mail::Sent)
        .build()
        .expect("the workflow is valid")
}

const TASKS: [&str; 2] = ["write", "send"];

#[test]
fn the_report_tells_each_place_of_a_log_and_how_many_logs_were_there() {
    let report = upgrade_test(Mail::Write, &(), |process| mail(process, 1, &[], TASKS))
        .to(Mail::Write, &(), |process| mail(process, 2, &[1], TASKS))
        .run();
    let told = report.to_string();
    let (_, places) = told
        .split_once('\n')
        .expect("the report has a line for each place");
    expect![[r#"
        the new release, for 28 logs of the old release: carries 28, refuses 0
          runs of version 1 are carried
            open in Send: 3 logs
            open in Write: 2 logs
            rolling back from Send: 5 logs
            rolling back from Write: 5 logs
            done in Sent: 3 logs
            rolled back from Send: 5 logs
            rolled back from Write: 5 logs
        the old release, for 11 logs of the new release: carries 0, refuses 11
          runs of version 2 are refused: it accepts the versions [1]
            open in Send: 3 logs
            open in Write: 2 logs
            done in Sent: 6 logs"#]]
    .assert_eq(places);
    assert!(report.carried(Release::New) > 0);
    assert_eq!(report.refused(Release::New), 0);
}

#[test]
fn a_renamed_task_repeats_its_effect_under_another_key() {
    finds(
        || {
            upgrade_test(Mail::Write, &(), |process| mail(process, 1, &[], TASKS))
                .to(Mail::Write, &(), |process| {
                    mail(process, 2, &[1], ["compose", "send"])
                })
                .refuses([Mail::Send, Mail::Sent])
                .run()
        },
        &expect![[r#"
            in the rollout old-new: keys: life 2 repeats write the mail under another key: the task write has become compose
            the promise: an idempotency key is the same for the same action, and for no other
            the window: life 1 runs write, and its effect has happened: the process crashes
            what to change: keep the name of the task: its idempotency key is made of it, so a receiver takes the request of a renamed task for a new request
            found after 135 schedules; no fault can be left out (1 simulation)"#]],
    );
}

#[test]
fn a_rolling_deployment_goes_back_only_if_the_old_release_accepts_the_new_version() {
    finds(
        || {
            upgrade_test(Mail::Write, &(), |process| mail(process, 1, &[], TASKS))
                .to(Mail::Write, &(), |process| mail(process, 2, &[1], TASKS))
                .carries_back()
                .run()
        },
        &expect![[r#"
            the old release refuses logs of the new release
              runs of version 2 are refused: it accepts the versions [1]
                open in Send: 2 logs
                open in Write: 1 log
                done in Sent: 5 logs
            carries_back() says that it carries every log"#]],
    );
    upgrade_test(Mail::Write, &(), |process| mail(process, 1, &[2], TASKS))
        .to(Mail::Write, &(), |process| mail(process, 2, &[1], TASKS))
        .carries_back()
        .run();
}

#[test]
fn an_expected_refusal_that_never_comes_fails() {
    finds(
        || {
            upgrade_test(Mail::Write, &(), |process| mail(process, 1, &[], TASKS))
                .to(Mail::Write, &(), |process| mail(process, 2, &[1], TASKS))
                .refuses([Mail::Send])
                .run()
        },
        &expect!["refuses() names Send, but the new release refuses no run there"],
    );
}

#[test]
fn a_failure_has_a_schedule_that_replays_it() {
    let test = || {
        upgrade_test(Mail::Write, &(), |process| mail(process, 1, &[], TASKS)).to(
            Mail::Write,
            &(),
            |process| mail(process, 2, &[], TASKS),
        )
    };
    let message = failure(|| test().run());
    expect![[r#"
        the new release refuses logs of the old release
          runs of version 1 are refused: it accepts the versions [2]
            open in Send: 1 log
            open in Write: 1 log
            rolling back from Send: 4 logs
            rolling back from Write: 4 logs
            done in Sent: 3 logs
            rolled back from Send: 16 logs
            rolled back from Write: 12 logs
        it must carry every log, except in the states that the test names with refuses()

        a schedule of the first, in the rollout old-new

        releases
          life 1  the old release, version 1
          life 2  the new release, version 2
          life 3  the old release, version 1
          life 4  the new release, version 2
          life 5  the old release, version 1
        schedule
          at life1/append#1:unacked: crash (the process crashes)
        timeline
          life 1  begins as a new run
          life 1  sends     #0   claim                   at Write, life 0000000000000001, input null
          life 1  durable   #0
          life 1  begins    write (visit 0)
          life 1  effect    write the mail
          life 1  sends     #1   state_entry             write -> Send
          life 1  durable   #1
          life 1  FAULT     at life1/append#1:unacked: crash (the process crashes)
          life 2  begins by resuming
          life 2  loads     2 rows
          life 2  returns   refused: the log does not fit the workflow: the run has version 1, accepted are [2]
          life 3  begins by resuming
          life 3  loads     2 rows
          life 3  sends     #2   claim                   at Send, life 0000000000000003
          life 3  durable   #2
          life 3  begins    send (visit 1)
          life 3  effect    send the mail
          life 3  sends     #3   state_entry             send -> Sent
          life 3  durable   #3
          life 3  returns   done in Sent
          life 4  begins by resuming, after the last fault, and returns: refused: the log does not fit the workflow: the run has version 1, accepted are [2]
          life 5  begins by resuming, after the last fault, and returns: done in Sent
        log
          #0   claim                   at Write, life 0000000000000001, input null
          #1   state_entry             write -> Send
          #2   claim                   at Send, life 0000000000000003
          #3   state_entry             send -> Sent
        ledger
          life 1  write the mail []  visit 0  key 7acff61e
          life 3  send the mail []  visit 1  key a1740b93
        violations
          none

        keep it: write .replay("old-new", "v1; at life1/append#1:unacked: crash") in place of .run()"#]].assert_eq(&message);
    let schedule = "v1; at life1/append#0:unacked: crash";
    let replayed = catch_unwind(AssertUnwindSafe(|| test().replay("old-new", schedule)));
    assert!(replayed.is_err(), "the schedule shows the refusal again");
    // In a rollout whose second life is old, the crash shows nothing.
    test().refuses([Mail::Sent]).replay("old-old-new", schedule);
}

/// The message ends with this test, as it would replay the schedule.
#[test]
#[should_panic(expected = "fn the_new_release_carries_this_log() {
    upgrade_test(Mail::Write, &(), |process| mail(process, 1, &[], TASKS))
        .to(Mail::Write, &(), |process| mail(process, 2, &[], TASKS))
        .replay(\"old-new\", \"v1; at life1/append#1:unacked: crash\");
}")]
fn a_failure_has_a_test_to_keep() {
    upgrade_test(Mail::Write, &(), |process| mail(process, 1, &[], TASKS))
        .to(Mail::Write, &(), |process| mail(process, 2, &[], TASKS))
        .run();
}

#[test]
#[should_panic(
    expected = r#""new-old" is not a rollout: expected old-new, old-old-new or old-new-old"#
)]
fn a_word_that_names_no_rollout_is_refused() {
    let test = upgrade_test(Mail::Write, &(), |process| mail(process, 1, &[], TASKS));
    test.to(Mail::Write, &(), |process| mail(process, 2, &[1], TASKS))
        .replay("new-old", "v1; no fault");
}

#[test]
fn the_report_is_the_same_for_any_number_of_threads() {
    let report = |threads: usize| {
        upgrade_test(Mail::Write, &(), |process| mail(process, 1, &[], TASKS))
            .to(Mail::Write, &(), |process| mail(process, 2, &[1], TASKS))
            .threads(threads.try_into().expect("not zero"))
            .run()
    };
    assert_eq!(report(1), report(2));
}

/// The keys of the mails that were sent.
type Sent = Mutex<BTreeSet<String>>;

/// A mail that is sent to a world of the test, from version 1 to version 2.
fn sent_to_a_world() -> UpgradeTest<Mail, Mail, Sent> {
    let workflow = |version: u32| {
        move |_: &Process, sent: &Arc<Sent>| {
            let task = |next: Mail| {
                let sent = Arc::clone(sent);
                move |ctx: Ctx| {
                    let mut sent = sent.lock().expect("nothing panics with it");
                    sent.insert(ctx.idempotency_key());
                    async move { Ok::<_, TaskError>(next) }
                }
            };
            Workflow::builder("mail", version)
                .accepts([1])
                .task(Mail::Write, "write", task(Mail::Send))
                .task(Mail::Send, "send", task(Mail::Sent))
                .exit(Mail::Sent)
                .build()
                .expect("the workflow is valid")
        }
    };
    upgrade_test_in(Sent::default, Mail::Write, &(), workflow(1)).to_in(
        Mail::Write,
        &(),
        workflow(2),
    )
}

#[test]
fn merged_crashes_find_the_same_logs_with_fewer_schedules() {
    let copied = |sent: &Sent| sent.lock().expect("nothing panics with it").clone();
    let whole = sent_to_a_world().run().findings;
    let test = sent_to_a_world().fingerprint(copied, move |sent| Mutex::new(copied(sent)));
    let merged = test.run().findings;
    assert!(merged.merged > 0 && merged.schedules < whole.schedules);
    let counts = |findings: &Findings| -> Vec<(Resumption, u64)> {
        let all = findings.resumptions.0.iter();
        all.map(|(it, logs)| (it.clone(), logs.count())).collect()
    };
    assert_eq!(counts(&merged), counts(&whole));
    let by_itself = sent_to_a_world().merges_worlds().run().findings;
    assert_eq!(
        by_itself, merged,
        "a lock around a set compares and copies itself"
    );
}

#[test]
fn one_crash_leaves_out_the_rollouts_that_need_two() {
    let report = |crashes| sent_to_a_world().crashes(crashes).run();
    let (one, two) = (report(1), report(2));
    assert!(one.findings.schedules < two.findings.schedules);
    assert!(one.carried(Release::New) < two.carried(Release::New));
}

/// The tasks of both releases wait for tokio's time.
#[test]
fn an_upgrade_runs_in_the_tokio_lane() {
    let slow = |version: u32| {
        move |_: &Process| {
            let task = |_: Ctx| async {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                Ok::<_, TaskError>(Mail::Sent)
            };
            Workflow::builder("mail", version)
                .accepts([1])
                .task(Mail::Write, "write", |_: Ctx| async { Ok(Mail::Send) })
                .task(Mail::Send, "send", task)
                .exit(Mail::Sent)
                .build()
                .expect("the workflow is valid")
        }
    };
    let test = upgrade_test(Mail::Write, &(), slow(1)).to(Mail::Write, &(), slow(2));
    let report = test.crashes(1).tokio().run();
    assert!(report.carried(Release::New) > 0);
}
