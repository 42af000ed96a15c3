//! Definitions: what is refused and how it is said, and how a definition is drawn.

use std::time::Duration;

use crashpoint::{
    BuildError, CompensatableTask, Ctx, PollOutcome, RetryPolicy, RunData, State, StepOutcome,
    SteppedTask, TaskError, Timer, Workflow, WorkflowBuilder,
};
use expect_test::{Expect, expect};

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Mail {
    Write,
    Send,
    Sent,
}

async fn write(_ctx: Ctx) -> Result<Mail, TaskError> {
    Ok(Mail::Send)
}

async fn send(_ctx: Ctx) -> Result<Mail, TaskError> {
    Ok(Mail::Sent)
}

fn builder() -> WorkflowBuilder<Mail> {
    Workflow::builder("mail", 1)
}

fn written() -> WorkflowBuilder<Mail> {
    builder().task(Mail::Write, "write", write)
}

fn whole() -> WorkflowBuilder<Mail> {
    written().task(Mail::Send, "send", send).exit(Mail::Sent)
}

fn check<S: State>(builder: WorkflowBuilder<S>, expected: &BuildError, message: &Expect) {
    let error = builder.build().expect_err("the definition is refused");
    assert_eq!(&error, expected);
    message.assert_eq(&error.to_string());
    assert_eq!(
        format!("{error:?}"),
        error.to_string(),
        "what `unwrap` shows"
    );
}

#[test]
fn ok_a_whole_definition_with_and_without_edges() {
    let workflow = whole().build().expect("it is valid");
    assert_eq!((workflow.name(), workflow.version()), ("mail", 1));
    assert!(format!("{workflow:?}").contains("mail"));
    let edges = builder()
        .task(Mail::Write, "write", write)
        .to([Mail::Send])
        .retry(RetryPolicy::fixed(0, Duration::ZERO))
        .undo_retry(RetryPolicy::none())
        .attempt_timeout(Duration::from_secs(1))
        .task(Mail::Send, "send", send)
        .to([Mail::Sent])
        .to([Mail::Write])
        .exit(Mail::Sent)
        .starts([Mail::Write]);
    assert!(edges.build().is_ok());
}

#[test]
fn err_a_name_is_empty() {
    check(
        Workflow::<Mail>::builder("", 1),
        &BuildError::EmptyName("workflow"),
        &expect!["a workflow has an empty name"],
    );
    check(
        builder().task(Mail::Write, "", write),
        &BuildError::EmptyName("task"),
        &expect!["a task has an empty name"],
    );
}

#[test]
fn err_a_method_has_no_task_to_speak_of() {
    check(
        builder().to([Mail::Send]),
        &BuildError::NoTaskNamed("to"),
        &expect!["`to` was called before any task was added"],
    );
    for (early, method) in [
        (builder().retry(RetryPolicy::none()), "retry"),
        (builder().undo_retry(RetryPolicy::none()), "undo_retry"),
        (builder().attempt_timeout(Duration::ZERO), "attempt_timeout"),
        (builder().retry(RetryPolicy::none()).to([]), "retry"),
    ] {
        let error = early.build().expect_err("no task is named");
        assert_eq!(error, BuildError::NoTaskNamed(method));
    }
}

#[test]
fn err_a_state_is_undefined_or_defined_twice() {
    check(
        written().exit(Mail::Sent),
        &BuildError::Unhandled("Send".into()),
        &expect![[r#"state "Send" has no task and is not an exit"#]],
    );
    check(
        whole().task(Mail::Send, "send again", send),
        &BuildError::DuplicateState("Send".into()),
        &expect![[r#"state "Send" is defined twice"#]],
    );
    for doubled in [whole().exit(Mail::Send), whole().exit(Mail::Sent)] {
        let error = doubled.build().expect_err("a state is defined twice");
        assert!(matches!(error, BuildError::DuplicateState(_)));
    }
}

#[test]
fn err_two_tasks_share_a_name() {
    check(
        written().task(Mail::Send, "write", send).exit(Mail::Sent),
        &BuildError::DuplicateTask("write".into()),
        &expect![[r#"two tasks are named "write""#]],
    );
}

#[test]
fn err_there_is_no_way_out() {
    check(
        written()
            .task(Mail::Send, "send", send)
            .task(Mail::Sent, "archive", send),
        &BuildError::NoExit("mail".into()),
        &expect![[r#"workflow "mail" has no exit"#]],
    );
}

#[test]
fn err_a_task_that_does_not_poll_has_the_limit_of_a_poll() {
    let limit = Duration::from_secs(1);
    check(
        written()
            .poll_limit(limit)
            .task(Mail::Send, "send", async |_| Ok(Mail::Sent))
            .exit(Mail::Sent),
        &BuildError::LimitWithoutPoll("write".into()),
        &expect![[r#"task "write" does not poll, so it has no `poll_limit`"#]],
    );
}

#[test]
fn err_a_timer_goes_elsewhere_too() {
    let wait = Timer::after(Duration::from_secs(1));
    check(
        written()
            .timer(Mail::Send, "wait", wait, Mail::Sent)
            .to([Mail::Write])
            .exit(Mail::Sent),
        &BuildError::TimerEdges("wait".into()),
        &expect![[r#"timer "wait" goes to one state, and was given more"#]],
    );
}

#[test]
fn err_a_start_is_an_exit() {
    check(
        whole().starts([Mail::Write, Mail::Sent]),
        &BuildError::StartIsExit("Sent".into()),
        &expect![[r#"the start "Sent" is an exit"#]],
    );
}

#[test]
fn err_a_state_can_not_be_reached() {
    check(
        builder()
            .task(Mail::Write, "write", write)
            .to([Mail::Sent])
            .task(Mail::Send, "send", send)
            .exit(Mail::Sent),
        &BuildError::Unreachable("Send".into(), vec!["Write".into()]),
        &expect![[r#"state "Send" can't be reached from ["Write"]"#]],
    );
    check(
        whole()
            .starts([Mail::Send])
            .task(Mail::Write, "unused", write),
        &BuildError::DuplicateState("Write".into()),
        &expect![[r#"state "Write" is defined twice"#]],
    );
    check(
        builder()
            .task(Mail::Write, "write", write)
            .task(Mail::Send, "send", send)
            .to([Mail::Sent])
            .exit(Mail::Sent)
            .starts([Mail::Send]),
        &BuildError::Unreachable("Write".into(), vec!["Send".into()]),
        &expect![[r#"state "Write" can't be reached from ["Send"]"#]],
    );
    check(
        whole().starts([]),
        &BuildError::Unreachable("Write".into(), vec![]),
        &expect![[r#"state "Write" can't be reached from []"#]],
    );
}

/// States written by hand, with labels that a derived `State` can't have.
macro_rules! handwritten {
    ($name:ident, $first:literal, $second:literal, $from:expr) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum $name {
            First,
            Second,
        }

        impl State for $name {
            const ALL: &'static [Self] = &[Self::First, Self::Second];

            fn label(self) -> &'static str {
                match self {
                    Self::First => $first,
                    Self::Second => $second,
                }
            }

            fn from_label(label: &str) -> Option<Self> {
                let from: fn(&str) -> Option<Self> = $from;
                from(label)
            }
        }
    };
}

handwritten!(Empty, "", "second", |_| None);
handwritten!(Doubled, "same", "same", |_| Some(Self::First));
handwritten!(Swapped, "first", "second", |label| match label {
    "first" => Some(Self::Second),
    _ => Some(Self::First),
});

#[test]
fn err_labels_written_by_hand_are_not_trusted() {
    check(
        Workflow::<Empty>::builder("mail", 1),
        &BuildError::EmptyName("state"),
        &expect!["a state has an empty name"],
    );
    check(
        Workflow::<Doubled>::builder("mail", 1),
        &BuildError::DuplicateLabel("same".into()),
        &expect![[r#"two states share the label "same""#]],
    );
    check(
        Workflow::<Swapped>::builder("mail", 1),
        &BuildError::LabelMismatch("first".into()),
        &expect![[r#"label "first" does not resolve to its own state"#]],
    );
}

#[test]
fn a_retry_policy_has_at_least_one_attempt() {
    let policy = RetryPolicy::fixed(0, Duration::from_secs(1));
    assert_eq!(
        (policy.attempts(), policy.delay()),
        (1, Duration::from_secs(1))
    );
    assert_eq!(RetryPolicy::default(), RetryPolicy::none());
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Odd {
    #[state(rename = "say \"hi\"")]
    Say,
    #[state(rename = "a<b> & #c\\")]
    Book,
    #[state(rename = "two\nlines")]
    Walk,
    End,
}

struct Book;

impl CompensatableTask<Odd> for Book {
    type Output = ();

    async fn run(&self, _ctx: Ctx) -> Result<(Odd, ()), TaskError> {
        Ok((Odd::Walk, ()))
    }

    async fn compensate(&self, _ctx: Ctx, (): ()) -> Result<(), TaskError> {
        Ok(())
    }
}

struct Walk;

impl SteppedTask<Odd> for Walk {
    type Cursor = ();

    async fn step(&self, _: Ctx, _: Option<()>) -> Result<StepOutcome<(), Odd>, TaskError> {
        Ok(StepOutcome::Done(Odd::End))
    }
}

fn odd(version: u32) -> Workflow<Odd> {
    let say = |_ctx: Ctx| async { Ok(Odd::Book) };
    Workflow::builder("odd", version)
        .task(Odd::Say, "say", say)
        .to([Odd::Book])
        .compensatable(Odd::Book, "book", Book)
        .stepped(Odd::Walk, "walk", Walk)
        .to([Odd::Walk, Odd::End])
        .exit(Odd::End)
        .build()
        .expect("it is valid")
}

#[test]
fn a_chart_shows_kinds_and_edges_and_quotes_what_would_break_it() {
    expect![[r#"
        flowchart TD
            s0["say #34;hi#34;: say"]
            s0 --> s1
            s1[["a#60;b#62; #38; #35;c#92;: book"]]
            s2[/"two lines: walk"/]
            s2 --> s2
            s2 --> s3
            s3(["End"])
    "#]]
    .assert_eq(&odd(1).to_mermaid());
}

/// Claims carry it, so that a reader of logs can tell definitions apart.
#[test]
fn the_fingerprint_of_a_definition_is_frozen() {
    expect!["fd0f2054c16f7890"].assert_eq(&format!("{:016x}", odd(1).definition().fingerprint()));
    assert_ne!(
        odd(1).definition().fingerprint(),
        odd(2).definition().fingerprint()
    );
}

#[test]
fn a_polling_task_is_drawn_as_a_trapezoid() {
    let poll = async |_| Ok::<_, TaskError>(PollOutcome::Ready(Mail::Send));
    let workflow = builder()
        .poll(Mail::Write, "ask", poll)
        .to([Mail::Send])
        .task(Mail::Send, "send", async |_| Ok(Mail::Sent))
        .to([Mail::Sent])
        .exit(Mail::Sent)
        .build()
        .expect("it is valid");
    expect![[r#"
        flowchart TD
            s0[/"Write: ask"\]
            s0 --> s1
            s1["Send: send"]
            s1 --> s2
            s2(["Sent"])
    "#]]
    .assert_eq(&workflow.to_mermaid());
}

#[test]
fn a_router_is_drawn_as_a_diamond_and_a_timer_as_a_hexagon() {
    let workflow = builder()
        .router(Mail::Write, "decide", |_: &RunData| Ok(Mail::Send))
        .to([Mail::Send, Mail::Sent])
        .timer(
            Mail::Send,
            "wait",
            Timer::after(Duration::from_secs(1)),
            Mail::Sent,
        )
        .exit(Mail::Sent)
        .build()
        .expect("it is valid");
    expect![[r#"
        flowchart TD
            s0{"Write: decide"}
            s0 --> s1
            s0 --> s2
            s1{{"Send: wait"}}
            s1 --> s2
            s2(["Sent"])
    "#]]
    .assert_eq(&workflow.to_mermaid());
}
