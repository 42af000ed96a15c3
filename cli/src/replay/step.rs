//! `crashpoint replay --step`: the events of a schedule, one at a time.

use std::io::{self, BufRead, Write};

use crashpoint_simulator::steps::Steps;

use crate::text::fitted;

/// What a line of the input asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Next,
    Previous,
    Broken,
    To(usize),
    Quit,
}

const HELP: &str = "n or nothing: next event, p: previous, a number: that event, b: where a promise breaks, q: quit";

/// Shows the first event, and then another for each line of the input, until it ends or quits. `broken` is
/// the event at which a promise broke first.
pub(super) fn step(
    steps: &Steps,
    broken: Option<usize>,
    input: impl BufRead,
    out: &mut impl Write,
) -> io::Result<()> {
    let Some(last) = steps.events.len().checked_sub(1) else {
        return writeln!(out, "the schedule has no events");
    };
    writeln!(out, "{HELP}")?;
    let mut at = 0;
    show(steps, at, broken, out)?;
    for line in input.lines() {
        match read(&line?) {
            Some(Command::Quit) => break,
            Some(Command::Next) if at == last => writeln!(out, "this is the last event")?,
            Some(Command::Previous) if at == 0 => writeln!(out, "this is the first event")?,
            Some(Command::Broken) if broken.is_none() => {
                writeln!(out, "no promise breaks at an event")?;
            }
            Some(Command::To(event)) if event > last => {
                writeln!(out, "the events are 0 to {last}")?;
            }
            None => writeln!(out, "{HELP}")?,
            Some(command) => {
                at = match command {
                    Command::Next => at + 1,
                    Command::Previous => at - 1,
                    Command::To(event) => event,
                    Command::Broken => broken.unwrap_or(at),
                    Command::Quit => at,
                };
                show(steps, at, broken, out)?;
            }
        }
        out.flush()?;
    }
    Ok(())
}

fn read(line: &str) -> Option<Command> {
    match line.trim() {
        "" | "n" => Some(Command::Next),
        "p" => Some(Command::Previous),
        "b" => Some(Command::Broken),
        "q" => Some(Command::Quit),
        number => number.parse().ok().map(Command::To),
    }
}

fn show(steps: &Steps, at: usize, broken: Option<usize>, out: &mut impl Write) -> io::Result<()> {
    let last = steps.events.len() - 1;
    let breaks = match broken == Some(at) {
        true => ": A PROMISE BREAKS HERE",
        false => "",
    };
    writeln!(out, "\nevent {at} of {last}{breaks}")?;
    writeln!(out, "{}", fitted(&steps.after(at).join("\n")))?;
    out.flush()
}
