//! Power loss, without causing one: whether acknowledged rows had been synced, and what the store does when
//! the disk returns errors.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::aftermath::goes_on;
use super::killed::judge_at;
use super::script::{Answer, ended_after, judge};
use super::traced::{CALLS_MAX, too_many};
use crate::case::Case;
use crate::child::traced::{
    FailedCall, Fault, Faulty, Image, LastSync, Moments, Seen, lose_power, run_with_a_fault,
    watch_syncs,
};
use crate::child::{Message, Role, Running, Script, Step};
use crate::finding::expect::{Checked, Failure, broken};
use crate::harness::place::Place;

/// The steps of a child's script, and what was seen of each.
fn steps_seen(case: &Case) -> Result<Vec<(Step, Seen)>, Failure> {
    let place = case.another_place()?;
    let running = Running::start(case, Role::Script, &place)?;
    let seen = watch_syncs(running, place.path())?;
    if seen.iter().all(|step| step.writes == 0) {
        let message = "the kit saw no write to a file at the place: the store may use mapped memory, \
                       io_uring or a server";
        return Err(Failure::Inconclusive(message.to_owned()));
    }
    Ok(Script::short().steps.into_iter().zip(seen).collect())
}

pub(crate) fn dur_08_data_is_synced_before_the_acknowledgement(case: &Case) -> Checked {
    for (number, (step, seen)) in steps_seen(case)?.into_iter().enumerate() {
        let Step::Append(..) = step else { continue };
        if seen.writes == 0 {
            return Err(Failure::Inconclusive(format!(
                "append {number} of a child was acknowledged, but the kit saw no write"
            )));
        }
        let mut files = seen.files.iter();
        if !files.any(|file| file.sync == LastSync::AfterTheLastWrite) {
            let writes = seen.writes;
            let files: Vec<String> = seen.files.iter().map(ToString::to_string).collect();
            let files = files.join(", ");
            return Err(broken(format!(
                "append {number} of a child wrote {writes} times to files of its place: expected a \
                 sync of one of them after its last write and before the acknowledgement, got {files}"
            )));
        }
    }
    Ok(())
}

pub(crate) fn dur_09_the_directory_is_synced_when_a_file_is_created(case: &Case) -> Checked {
    for (number, (_, seen)) in steps_seen(case)?.into_iter().enumerate() {
        if let Some((file, directory)) = seen.nameless {
            let directory = match directory.to_string_lossy() {
                place if place.is_empty() => "the place".to_owned(),
                below => format!("directory {below:?}"),
            };
            return Err(broken(format!(
                "step {number} of a child left a new file {file:?} with synced data in it: expected a \
                 sync of {directory} before the acknowledgement, got none since its name is there"
            )));
        }
    }
    Ok(())
}

pub(crate) fn dur_15_after_a_power_loss_acknowledged_rows_are_there(case: &Case) -> Checked {
    let (place, stash) = (case.another_place()?, case.another_place()?);
    let running = Running::start(case, Role::Script, &place)?;
    for image in lose_power(running, &place, stash.path(), Moments::All)? {
        opens(case, &Script::short(), image)?;
    }
    Ok(())
}

/// Opens the place that a power loss left, judges it and goes on.
pub(super) fn opens(case: &Case, script: &Script, image: Image) -> Checked {
    let Image {
        place,
        steps,
        begun,
    } = image;
    let steps_words = match steps {
        1 => "1 acknowledged step".to_owned(),
        more => format!("{more} acknowledged steps"),
    };
    let when = format!("of whose files only synced data was left, after {steps_words}");
    let mut answers = ended_after(steps, script);
    if !begun {
        answers.truncate(steps as usize);
    }
    let after = format!("a power loss after {steps_words} of a child");
    judge_at(case, &place, &after, async |store| {
        judge(case, &store, script, &answers, &when).await?;
        goes_on(case, &place, store, (script, &answers), &after).await
    })
}

/// Applies the fault to each call in turn, each time in a new child at a new place.
fn each_call(
    case: &Case,
    fault: Fault,
    mut judge: impl FnMut(&Faulty, Failed, &Arc<Place>) -> Checked,
) -> Checked {
    for nth in 0..CALLS_MAX {
        let place = case.another_place()?;
        let running = Running::start(case, Role::ScriptWithFaults, &place)?;
        let faulty = run_with_a_fault(running, fault, nth, place.path())?;
        let Some(FailedCall { call, step }) = faulty.failed.clone() else {
            if nth > 0 {
                return Ok(());
            }
            let message = "the child made no such system call: does the store keep its rows \
                           elsewhere?";
            return Err(Failure::Inconclusive(message.to_owned()));
        };
        judge(&faulty, Failed { call, nth, step }, &place)?;
    }
    Err(too_many())
}

/// The call that met the fault.
struct Failed {
    /// Its name and its file.
    call: String,
    nth: usize,
    step: u64,
}

fn is_error(message: &Message) -> bool {
    matches!(message, Message::Failed(_) | Message::Conflicted(_))
}

fn answer(message: &Message) -> Option<Answer> {
    match message {
        Message::Acknowledged(_) => Some(Answer::Done),
        Message::Failed(_) | Message::Conflicted(_) => Some(Answer::Unknown),
        _ => None,
    }
}

pub(crate) fn dur_10_a_failed_sync_is_an_error(case: &Case) -> Checked {
    each_call(
        case,
        Fault::SyncFails,
        |faulty, Failed { call, step, .. }, _| {
            if faulty.messages.contains(&Message::Acknowledged(step)) {
                return Err(broken(format!(
                    "step {step} of a child, whose {call} answered EIO: expected an error, got Ok"
                )));
            }
            if faulty.messages.contains(&Message::Conflicted(step)) {
                return Err(broken(format!(
                    "step {step} of a child, whose {call} answered EIO: expected an error of the disk, got a \
                     conflict"
                )));
            }
            Ok(())
        },
    )
}

pub(crate) fn dur_11_a_full_disk_is_an_error(case: &Case) -> Checked {
    for fault in [Fault::DiskFull, Fault::DiskFills] {
        each_call(case, fault, |faulty, failed, place| {
            let Failed { call, nth, step } = failed;
            let answers: Vec<Answer> = faulty.messages.iter().filter_map(answer).collect();
            let call = format!(
                "whose {call} (number {nth}) {} in step {step}",
                fault.words()
            );
            let when = format!("{call}, opened again");
            let after = format!("a child {call}");
            let script = Script::short();
            judge_at(case, place, &after, async |store| {
                judge(case, &store, &script, &answers, &when).await?;
                goes_on(case, place, store, (&script, &answers), &after).await
            })
        })?;
    }
    Ok(())
}

pub(crate) fn dur_13_after_a_failed_sync_the_store_refuses(case: &Case) -> Checked {
    each_call(
        case,
        Fault::SyncFails,
        |faulty, Failed { call, step, .. }, _| {
            if faulty.given_up {
                let when = format!("step {step} of a child, whose {call} answered EIO");
                return shows_what_was_acknowledged(&faulty.messages, &when);
            }
            // DUR-10 checks that the step itself is an error.
            let failed = faulty
                .messages
                .iter()
                .skip_while(|message| !is_error(message));
            for message in failed {
                let got = match message {
                    Message::Loaded(Some(rows)) => format!("a load that showed {rows} rows"),
                    Message::Acknowledged(later) => format!("Ok for step {later}"),
                    _ => continue,
                };
                return Err(broken(format!(
                    "after step {step} of a child, whose {call} answered EIO: expected loads and appends \
                 to be refused until the store is opened again, got {got}"
                )));
            }
            Ok(())
        },
    )
}

/// Judges a child that has abandoned the file whose sync failed. It may go on, since nothing that it shows
/// depends on that file. But it must not show a row that it could not write.
fn shows_what_was_acknowledged(messages: &[Message], when: &str) -> Checked {
    let script = Script::short().steps;
    let mut kept: BTreeMap<&str, u64> = BTreeMap::new();
    let mut asked = "";
    for message in messages {
        match message {
            Message::Acknowledged(number) => match script.get(*number as usize) {
                Some(Step::Append(run, _)) => *kept.entry(*run).or_default() += 1,
                Some(Step::Clear(run)) => _ = kept.remove(run),
                Some(Step::Maintain) | None => {}
            },
            Message::Failed(number) | Message::Conflicted(number) => {
                let step = script.get(*number as usize);
                asked = step.and_then(Step::run).unwrap_or_default();
            }
            Message::Loaded(Some(rows)) => {
                let expected = kept.get(asked).copied().unwrap_or_default();
                if *rows != expected {
                    return Err(broken(format!(
                        "after {when} and whose file it gave up: expected a load that shows \
                         {expected} rows, got {rows}"
                    )));
                }
            }
            _ => {}
        }
    }
    Ok(())
}
