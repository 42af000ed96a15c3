//! The target `redb_power_loss`: the embedded store keeps its acknowledged rows over any script, disk
//! fault, crash and power loss, and over a second crash during the next opening.
//!
//! An input is a tape: a script, a disk fault or none, and one or two crashes.

use crashpoint_simulator::Choices;
use crashpoint_simulator::choices::Bytes;
use crashpoint_simulator::disk::{Call, Failure, Lasting, Lie};
use crashpoint_simulator::images::{Embedded, Exploration, Op, Open, Script};

use crate::Seed;

/// The most groups of operations in a script.
const GROUPS_MAX: usize = 10;

/// The runs of a script.
const RUNS: usize = 3;

/// The lengths of blobs: none, short, longer than one page, and longer than two.
const BLOBS: [usize; 4] = [0, 100, 5_000, 9_000];

/// The most writes to a run of a script. Each may go unanswered, and then doubles the logs that are possible.
const WRITES_MAX: usize = 10;

/// The number of disk calls among which one may fail.
const CALLS_MAX: usize = 250;

/// Performs the script of `input`, crashes it, and checks the content that is left.
///
/// # Panics
///
/// If the store loses an acknowledged row, has a row that was never sent, or does not open.
pub fn redb_power_loss(input: &[u8]) {
    check_power_loss(input, &Embedded, Lie::None);
}

/// The same for another store, on a disk that may report a sync without performing it.
///
/// # Panics
///
/// As [`redb_power_loss`].
pub fn check_power_loss(input: &[u8], store: &impl Open, lie: Lie) {
    let mut choices = Bytes::new(input);
    let script = script(&mut choices);
    let fault = fault(&mut choices);
    let mut exploration = Exploration::of(&script, store).lying(lie);
    if let Some(fault) = fault {
        exploration = exploration.failing(fault);
    }
    if let Some(violation) = exploration.draw(&mut choices) {
        panic!("{violation}\n  of {script:?}");
    }
}

fn script(choices: &mut Bytes) -> Script {
    let mut script = Script::new(BLOBS[choices.choose("script/blob", BLOBS.len())]);
    let mut writes = [0; RUNS];
    for _ in 0..GROUPS_MAX {
        script = match choices.choose("script/group", 4) {
            0 => break,
            1 => script.then([op(choices, &mut writes)]),
            2 => {
                let count = 2 + choices.choose("script/together", 3);
                let ops: Vec<Op> = (0..count).map(|_| op(choices, &mut writes)).collect();
                script.together(ops)
            }
            _ => script.reopen(),
        };
    }
    script
}

fn op(choices: &mut Bytes, writes: &mut [usize; RUNS]) -> Op {
    let run = choices.choose("script/run", RUNS) as u8;
    let drawn = choices.choose("script/op", 5);
    let writes = &mut writes[usize::from(run)];
    if *writes == WRITES_MAX {
        return Op::Load(run);
    }
    *writes += usize::from(drawn < 4);
    match drawn {
        0 => Op::Append(run),
        1 => Op::Clear(run),
        2 => Op::Duplicate(run),
        3 => Op::Drop(run),
        _ => Op::Load(run),
    }
}

fn fault(choices: &mut Bytes) -> Option<Failure> {
    match choices.choose("fault", 4) {
        0 | 1 => None,
        2 => Some(Failure::Broken {
            call: Call::ALL[choices.choose("fault/call", Call::ALL.len())],
            at: choices.choose("fault/at", CALLS_MAX) as u64,
            lasting: match choices.choose("fault/lasting", 2) {
                0 => Lasting::Once,
                _ => Lasting::ForGood,
            },
        }),
        _ => Some(Failure::Full {
            bytes: 4096 * (1 + choices.choose("fault/pages", CALLS_MAX) as u64),
        }),
    }
}

/// Scripts with an early crash, a late crash and two crashes; on a healthy, a failing and a full disk.
pub(crate) fn seeds() -> Vec<Seed> {
    // Two appends to a run, three operations together, a clean close, a clear.
    let mixed = [1, 1, 0, 0, 1, 0, 0, 2, 1, 1, 0, 0, 2, 2, 3, 3, 1, 0, 1, 0];
    let seed = |name: &str, script: &[u8], rest: &[u8]| Seed {
        name: name.to_owned(),
        input: [script, rest].concat(),
    };
    // Groups of four appends of the longest rows, all dropped.
    let dropped = [&[3][..], &[2, 2, 0, 3, 0, 3, 0, 3, 0, 3].repeat(GROUPS_MAX)].concat();
    vec![
        seed("no-script-and-no-file", &[], &[]),
        seed("nobody-waits-for-an-answer", &dropped, &[0, 90, 1]),
        seed("creation-loses-the-name", &[1, 1, 0, 0, 0], &[0, 30, 1]),
        seed("an-append-is-torn", &[1, 1, 0, 0, 0], &[0, 44, 90]),
        seed("power-fails-in-a-mixed-script", &mixed, &[0, 120, 7]),
        seed("and-again-in-the-opening", &mixed, &[0, 70, 9, 1, 3, 2]),
        seed("a-sync-fails", &mixed, &[2, 2, 9, 0, 80, 1]),
        seed("a-write-fails-for-good", &mixed, &[2, 1, 60, 1, 60, 0]),
        seed("the-disk-is-full", &mixed, &[3, 9, 60, 2]),
        seed(
            "blobs-over-two-pages",
            &[3, 1, 0, 0, 1, 1, 0, 0],
            &[0, 60, 20],
        ),
    ]
}
