//! [`certify!`](crate::certify): one line of the user becomes a named test for each law.

use std::num::NonZeroUsize;

use crate::catalogue::{Kind, Law};
use crate::child::run_role_if_child;
use crate::contract::LawId;
use crate::finding::verdict::Verdict;
use crate::harness::{Harness, Subject};
use crate::report::suite::Suite;
use crate::report::{journal, print_line};
use crate::runner::judge;
use crate::runner::plan::Step;
use crate::runner::slot::Slot;

/// Certifies a store: expands to one `#[test]` for each law of the [catalogue](crate::catalogue()).
///
/// ```text
/// crashpoint_conformance::certify! {
///     harness: MyHarness,
///     jobs: 4,
///     claims: [reopen, limits],
///     lacks: [engine_kinds],
///     waive: [ISO_09 => "ids are C strings in the file format"],
///     expect_fail: [CLR_08 => "issue 12: clear is not one transaction yet"],
/// }
/// ```
///
/// All but `harness` may be left out; the order is fixed. A misspelled claim or law does not compile,
/// nor does a law that is named twice or without a reason. `lacks` takes back an [assumed](crate::Claim::EngineKinds) claim,
/// for stores of the reference crate, which has three kinds of rows. `jobs` is the number of laws that run at a
/// time, also in several processes of one user, as under nextest; without it the test runner decides.
/// [`Options::laws_at_once`](crate::Options) bounds it.
///
/// - A law that is waived, or whose claim is not made, becomes an ignored test with that reason.
///   `cargo test -- --ignored` runs it.
/// - A law that is expected to fail runs, and its test fails if the law passes.
/// - An advisory law runs and prints what it finds; its test fails only if the harness fails.
///
/// The names of the tests begin with the law's id: `cargo test dup_07` runs one law, `cargo test dup_` a
/// group. To certify two stores in one file, put each call in its own module.
#[macro_export]
macro_rules! certify {
    (
        harness: $harness:ty
        $(, jobs: $jobs:literal)?
        $(, claims: [$($claim:ident),* $(,)?])?
        $(, lacks: [$($lacked:ident),* $(,)?])?
        $(, waive: [$($waived:ident => $why:literal),* $(,)?])?
        $(, expect_fail: [$($failing:ident => $because:literal),* $(,)?])?
        $(,)?
    ) => {
        $crate::__certify! {
            ($)
            $harness,
            [$($jobs)?]
            [$($($claim)*)?]
            [$($($lacked)*)?]
            [$($($waived $why)*)?]
            [$($($failing $because)*)?]
        }
    };
    ($($other:tt)*) => {
        compile_error! { "\
            expected `harness: Type, jobs: 4, claims: [word, ..], lacks: [word, ..], \
            waive: [LAW_01 => \"reason\", ..], expect_fail: [LAW_02 => \"reason\", ..]` in this \
            order; all but `harness` may be left out" }
    };
}

/// Defines a macro in the caller's crate that knows claims, waivers and expected failures, and lets the
/// catalogue call it for each law.
#[doc(hidden)]
#[macro_export]
macro_rules! __certify {
    (
        ($d:tt) $harness:ty,
        [$($jobs:literal)?]
        [$($claim:ident)*] [$($lacked:ident)*]
        [$($waived:ident $why:literal)*] [$($failing:ident $because:literal)*]
    ) => {
        static __CRASHPOINT_SUITE: $crate::__private::Suite = $crate::__private::Suite {
            package: option_env!("CARGO_PKG_NAME"),
            version: option_env!("CARGO_PKG_VERSION"),
            module: module_path!(),
            target_tmpdir: option_env!("CARGO_TARGET_TMPDIR"),
            jobs: $crate::__private::jobs(&[$($jobs)?]),
            claims: &[$($crate::claim::$claim),*],
            lacks: &[$($crate::claim::$lacked),*],
            waived: &[$(($crate::LawId::$waived, $why)),*],
            failing: &[$(($crate::LawId::$failing, $because)),*],
        };
        const _: () = $crate::__private::each_law_listed_once(&[
            $($crate::LawId::$waived,)* $($crate::LawId::$failing,)*
        ]);
        const _: () = $crate::__private::each_reason_given(&[$($why,)* $($because,)*]);

        macro_rules! __crashpoint_law {
            $(($waived $d name:ident $d claim:ident) => {
                #[test]
                #[ignore = $why]
                fn $d name() {
                    $crate::__private::certify_law::<$harness>(
                        &__CRASHPOINT_SUITE,
                        $crate::LawId::$waived,
                    );
                }
            };)*
            $(($failing $d name:ident $d claim:ident) => {
                #[test]
                fn $d name() {
                    $crate::__private::certify_law::<$harness>(
                        &__CRASHPOINT_SUITE,
                        $crate::LawId::$failing,
                    );
                }
            };)*
            $(($d id:ident $d name:ident $lacked) => {
                __crashpoint_law! { $d id $d name lacks $lacked }
            };)*
            $(($d id:ident $d name:ident $claim) => {
                __crashpoint_law! { $d id $d name always }
            };)*
            // The assumed claims.
            ($d id:ident $d name:ident engine_kinds) => {
                __crashpoint_law! { $d id $d name always }
            };
            ($d id:ident $d name:ident atomic_cancellation) => {
                __crashpoint_law! { $d id $d name always }
            };
            ($d id:ident $d name:ident always) => {
                #[test]
                fn $d name() {
                    $crate::__private::certify_law::<$harness>(
                        &__CRASHPOINT_SUITE,
                        $crate::LawId::$d id,
                    );
                }
            };
            ($d id:ident $d name:ident $d claim:ident) => {
                __crashpoint_law! { $d id $d name lacks $d claim }
            };
            ($d id:ident $d name:ident lacks $d claim:ident) => {
                $crate::__unclaimed! { $d claim
                    fn $d name() {
                        $crate::__private::certify_law::<$harness>(
                            &__CRASHPOINT_SUITE,
                            $crate::LawId::$d id,
                        );
                    }
                }
            };
        }

        $crate::__catalogue! { ($crate::__each_law) [] }
    };
}

/// Calls the caller's `__crashpoint_law!` for each row of the catalogue.
#[doc(hidden)]
#[macro_export]
macro_rules! __each_law {
    ([] $($key:ident $module:ident $level:ident $title:literal { $(
        $id:ident $name:ident $kind:ident $claim:ident $runs:ident $sentence:literal;
    )* })*) => { $($(
        __crashpoint_law! { $id $name $claim }
    )*)* };
}

/// The test of a law whose claim is not made. `#[ignore]` needs its reason as one literal.
#[doc(hidden)]
#[macro_export]
macro_rules! __unclaimed {
    (reopen $($test:tt)*) => { #[test] #[ignore = "not claimed: reopen"] $($test)* };
    (limits $($test:tt)*) => { #[test] #[ignore = "not claimed: limits"] $($test)* };
    (any_executor $($test:tt)*) => { #[test] #[ignore = "not claimed: any_executor"] $($test)* };
    (exclusive_scope $($test:tt)*) => {
        #[test] #[ignore = "not claimed: exclusive_scope"] $($test)*
    };
    (engine_kinds $($test:tt)*) => { #[test] #[ignore = "not claimed: engine_kinds"] $($test)* };
    (atomic_cancellation $($test:tt)*) => {
        #[test] #[ignore = "not claimed: atomic_cancellation"] $($test)*
    };
    (fenced_cancellation $($test:tt)*) => {
        #[test] #[ignore = "not claimed: fenced_cancellation"] $($test)*
    };
    (process_crash $($test:tt)*) => { #[test] #[ignore = "not claimed: process_crash"] $($test)* };
    (power_loss $($test:tt)*) => { #[test] #[ignore = "not claimed: power_loss"] $($test)* };
    (server_crash $($test:tt)*) => { #[test] #[ignore = "not claimed: server_crash"] $($test)* };
    (failover $($test:tt)*) => { #[test] #[ignore = "not claimed: failover"] $($test)* };
    (outlives_runtime $($test:tt)*) => {
        #[test] #[ignore = "not claimed: outlives_runtime"] $($test)*
    };
    (many_handles $($test:tt)*) => { #[test] #[ignore = "not claimed: many_handles"] $($test)* };
    (many_processes $($test:tt)*) => { #[test] #[ignore = "not claimed: many_processes"] $($test)* };
    (outage $($test:tt)*) => { #[test] #[ignore = "not claimed: outage"] $($test)* };
    (corruption $($test:tt)*) => { #[test] #[ignore = "not claimed: corruption"] $($test)* };
    (listing $($test:tt)*) => { #[test] #[ignore = "not claimed: listing"] $($test)* };
    (on_disk $($test:tt)*) => { #[test] #[ignore = "not claimed: on_disk"] $($test)* };
    (settled $($test:tt)*) => { #[test] #[ignore = "not claimed: settled"] $($test)* };
}

/// The `jobs` of a [`certify!`](crate::certify).
///
/// # Panics
///
/// If it is 0.
pub const fn jobs(given: &[usize]) -> Option<NonZeroUsize> {
    match given {
        [] => None,
        [jobs, ..] => {
            assert!(*jobs > 0, "`jobs` is at least 1");
            NonZeroUsize::new(*jobs)
        }
    }
}

/// Rejects, when the user's file is compiled, a law that is named twice in `waive` and `expect_fail`.
///
/// # Panics
///
/// If a law is named twice.
pub const fn each_law_listed_once(laws: &[LawId]) {
    let mut first = 0;
    while first < laws.len() {
        let mut second = first + 1;
        while second < laws.len() {
            assert!(
                laws[first] as usize != laws[second] as usize,
                "a law is named twice in `waive` and `expect_fail`"
            );
            second += 1;
        }
        first += 1;
    }
}

/// Rejects, when the user's file is compiled, a law that is waived or expected to fail for an empty reason.
///
/// # Panics
///
/// If a reason is empty.
pub const fn each_reason_given(reasons: &[&str]) {
    let mut index = 0;
    while index < reasons.len() {
        assert!(
            !reasons[index].trim_ascii().is_empty(),
            "`waive` and `expect_fail` need a reason for each law"
        );
        index += 1;
    }
}

/// Runs one law as a test, and appends a line about it for `crashpoint report`.
///
/// # Panics
///
/// If the verdict is not the expected verdict.
pub fn certify_law<H: Harness>(suite: &'static Suite, id: LawId) {
    let mut subject = Subject::of::<H>();
    subject.again = Some(suite.arguments_again(id.law()));
    subject.claims = suite.plan().holds().collect();
    run_role_if_child(&subject);
    let most = [suite.jobs, subject.options.laws_at_once];
    let _slot = Slot::take(subject.name, most.into_iter().flatten().min());
    certify(suite, &subject, id.law());
}

fn certify(suite: &'static Suite, subject: &Subject, law: &'static Law) {
    let plan = suite.plan();
    let step = plan.step(law.id);
    let mut judgement = judge(subject, law);
    judgement.verdict = step.read(judgement.verdict);
    journal::note(suite, subject, law, &judgement);
    let verdict = judgement.verdict;
    let reason = verdict.reason().unwrap_or_default();
    let mut message = format!(
        "{} ({}): {}: {reason}",
        law.id,
        law.sentence,
        verdict.word()
    );
    if matches!(verdict, Verdict::Fail(_)) {
        message = format!("{message}\n{}", law.advice_with(law.help(judgement.late)));
    }
    let advisory = law.kind == Kind::Advisory && !matches!(step, Step::RunExpectingFailure(_));
    if matches!(verdict, Verdict::Fail(_)) && advisory {
        print_line(&format!("advisory {message}"));
    } else {
        assert!(!verdict.is_failure(), "{message}");
    }
}
