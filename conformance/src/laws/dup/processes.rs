//! Two processes on one place, which the kit starts and releases at the same time.

use crate::case::Case;
use crate::child::{CONTENDED, CONTENDED_ROWS, Message, Role, Running, Started, contended};
use crate::finding::expect::{Checked, Failure, broken, describe, marked};
use crate::runtime::{Workers, start};

/// How often two processes contend, each time at a new place.
const ROUNDS: u32 = 3;

pub(crate) fn dup_14_two_processes_have_one_winner(case: &Case) -> Checked {
    for _ in 0..ROUNDS {
        let place = case.another_place()?;
        let mut first = Running::start(case, Role::Contends(0), &place)?;
        let mut children = vec![];
        let second = Running::try_start(case, Role::Contends(1), &place)?;
        first.go()?;
        children.push(first);
        if let Started::Ready(mut second) = second {
            second.go()?;
            children.push(second);
        }
        let mut answers = Vec::new();
        for child in &mut children {
            answers.push(acknowledged(child)?);
        }
        drop(children);
        let runtime = start(Workers::Pool(2))?;
        let checked = runtime.block_on(async {
            let store = case.open_at(&place).await?;
            let stored = store.load(CONTENDED).await?;
            (0..CONTENDED_ROWS).try_for_each(|sequence| {
                let winners = winners(&answers, sequence);
                let here = stored.iter().filter(|row| row.sequence == sequence);
                let here: Vec<String> = here.map(describe).collect();
                judge(sequence, &winners, answers.len(), &here)
            })?;
            if let Some(taken) = stored.first() {
                let late = marked(taken.sequence, "parent");
                store.rejects(CONTENDED, late).await?;
            }
            Ok(())
        });
        case.close_inside(runtime.handle());
        runtime.block_on(case.leave(&place))?;
        checked?;
    }
    Ok(())
}

/// For each sequence, whether the child got Ok.
fn acknowledged(child: &mut Running<'_>) -> Result<Vec<bool>, Failure> {
    let mut accepted = vec![false; CONTENDED_ROWS as usize];
    loop {
        match child.receive()? {
            Some(Message::Acknowledged(step)) => accepted[step as usize] = true,
            Some(
                Message::Failed(_) | Message::Conflicted(_) | Message::Ready | Message::Loaded(_),
            ) => {}
            Some(Message::Ended) => return Ok(accepted),
            Some(Message::Refused(message)) => {
                return Err(broken(format!("in a child process: {message}")));
            }
            None => {
                let message = "a child process ended before its last append";
                return Err(broken(message));
            }
        }
    }
}

/// The children that got Ok.
fn winners(answers: &[Vec<bool>], sequence: u64) -> Vec<u8> {
    let numbered = (0_u8..).zip(answers);
    let winners = numbered.filter(|(_, accepted)| accepted[sequence as usize]);
    winners.map(|(who, _)| who).collect()
}

fn judge(sequence: u64, winners: &[u8], children: usize, stored: &[String]) -> Checked {
    let expected = match winners {
        [winner] => describe(&contended(sequence, *winner)),
        // Both failed, as when a database is locked for too long: then nothing is known.
        [] if children > 1 && stored.len() <= 1 => return Ok(()),
        _ => {
            let count = winners.len();
            return Err(broken(format!(
                "{children} processes append to sequence {sequence} of run \"{CONTENDED}\" at once: \
                 expected exactly one Ok, got {count} (children {winners:?})"
            )));
        }
    };
    if stored == [expected.clone()] {
        return Ok(());
    }
    Err(broken(format!(
        "after {children} processes appended to sequence {sequence} of run \"{CONTENDED}\": expected \
         {expected} of the child that got Ok, got {stored:?}"
    )))
}
