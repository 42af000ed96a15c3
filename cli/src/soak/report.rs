//! The report of a soak.

use std::io::{self, Write};
use std::time::Duration;

use comfy_table::Cell;
use crashpoint_simulator::Repeat;
use crashpoint_simulator::render::escaped_full;

use crate::arguments::{ALL, SoakArguments};
use crate::exit::Exit;
use crate::replay::rerun::{full_command, replay_file_command};
use crate::replay::shrink;
use crate::soak::seed::MOST;
use crate::soak::tally::{Finding, Kind, SeedNotes, Tally};
use crate::soak::{Memory, ReplayedTape};
use crate::text::table::{right, table_of};
use crate::text::{counted, grouped, wrapped};

/// The results of a soak.
#[derive(Debug)]
pub(super) struct SoakReport<'a> {
    pub(super) arguments: &'a SoakArguments,
    pub(super) first: u64,
    pub(super) tally: Tally,
    pub(super) replayed: Vec<ReplayedTape>,
    pub(super) elapsed: Duration,
    pub(super) memory: Memory,
    pub(super) interrupted: bool,
}

impl SoakReport<'_> {
    /// The exit for these findings.
    pub(super) fn exit(&self) -> Exit {
        let verdicts = self.replayed.iter().flat_map(|tape| &tape.verdicts);
        let replayed = Exit::of_oracles(verdicts.map(|verdict| verdict.oracle));
        match self.tally.exit().max(replayed) {
            Exit::Clean if self.interrupted => Exit::Interrupted,
            exit => exit,
        }
    }

    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        self.table(out)?;
        self.memory(out)?;
        if self.arguments.corpus.is_some() {
            self.corpus(out)?;
        }
        writeln!(out, "{}", self.verdict())?;
        notes(
            &self.tally.nondeterministic,
            "ran differently the second time",
            out,
        )?;
        notes(
            &self.tally.panicked,
            "panicked, which is a bug of the simulator",
            out,
        )?;
        self.stories(out)
    }

    fn table(&self, out: &mut impl Write) -> io::Result<()> {
        let mut table = table_of(&["workload", "store", "schedules", "run twice", "violations"]);
        for ((name, store), count) in &self.tally.counts {
            table.add_row(vec![
                Cell::new(name),
                Cell::new(store),
                right(grouped(count.schedules)),
                right(grouped(count.repeated)),
                right(grouped(count.violations)),
            ]);
        }
        writeln!(out, "{}", table.trim_fmt())?;
        let seeds = match self.tally.schedules().checked_sub(1) {
            Some(more) => format!("Seeds {}..={}", self.first, self.first + more),
            None => "No seeds".to_owned(),
        };
        let every = Repeat::ONE_IN;
        let what = format!(
            "{seeds}: a random sample, not exhaustive. Each seed runs one schedule of one workload, or of \
             operations, over one store, with the faults that it draws, up to {MOST}: crashes, store faults, disk \
             faults, task errors, takeovers, switches between lives, cancellations, clock jumps. One \
             seed in {every}, and each that breaks a promise, runs twice."
        );
        writeln!(out, "{}\n", wrapped(&what))
    }

    fn memory(&self, out: &mut impl Write) -> io::Result<()> {
        let Memory { start, warm, end } = &self.memory;
        let warm = warm.map(|warm| format!("{warm} after 10 s, "));
        let warm = warm.unwrap_or_default();
        writeln!(
            out,
            "resident memory: {start} at the start, {warm}{end} at the end"
        )
    }

    fn corpus(&self, out: &mut impl Write) -> io::Result<()> {
        let of = |is: fn(&&ReplayedTape) -> bool| self.replayed.iter().filter(is).count();
        let (all, broken) = (self.replayed.len(), of(|tape| !tape.verdicts.is_empty()));
        write!(
            out,
            "corpus: {} replayed first, {broken} of them still break a promise",
            counted(all as u64, "tape")
        )?;
        match of(|tape| !tape.same) {
            0 => writeln!(out)?,
            other => writeln!(
                out,
                "; {other} ran differently, because the workload or the engine has changed"
            )?,
        }
        for ReplayedTape { file, verdicts, .. } in &self.replayed {
            if !verdicts.is_empty() {
                let oracles: Vec<&str> = verdicts.iter().map(|verdict| verdict.oracle).collect();
                let file = escaped_full(&file.display().to_string());
                writeln!(out, "  {file}: {}", oracles.join(", "))?;
            }
        }
        Ok(())
    }

    /// One line with the result.
    fn verdict(&self) -> String {
        let schedules = counted(self.tally.schedules(), "schedule");
        let seconds = self.elapsed.as_secs_f64();
        let verdict = match self.tally.violations() {
            0 => "no violation".to_owned(),
            some => counted(some, "violation"),
        };
        let partial = if self.interrupted {
            " until it was interrupted"
        } else {
            ""
        };
        format!("{schedules} in {seconds:.1} s: {verdict}{partial}")
    }

    /// Prints the violations that were kept, smallest first.
    fn stories(&self, out: &mut impl Write) -> io::Result<()> {
        let mut findings: Vec<(&Kind, &Finding)> = self.tally.findings.iter().collect();
        findings.sort_by_key(|(_, finding)| finding.tape.tape.0.len());
        for ((name, store, oracle), finding) in findings {
            let seed = finding.seed;
            writeln!(
                out,
                "\n{name} over {store} violates {oracle}, first with seed {seed}"
            )?;
            match &finding.shrunk {
                Some(shrunk) => writeln!(out, "{}", shrunk.story)?,
                None => {
                    let objection = shrink::objection(oracle, &finding.message);
                    writeln!(out, "not shrunk\n{}{objection}", finding.story)?;
                }
            }
            writeln!(out, "replay it: {}", self.command(finding))?;
        }
        let kept = self.tally.findings.len() as u64;
        if self.tally.violations() > kept {
            writeln!(
                out,
                "\n{} in total; shown is the first of each workload, store and oracle",
                counted(self.tally.violations(), "violation")
            )?;
        }
        Ok(())
    }

    /// The command that shows a violation again: with its file; or its token, shrunk or not; or, if
    /// both tapes are too long for a token, the soak of its seed.
    fn command(&self, finding: &Finding) -> String {
        if let Some(file) = &finding.file {
            return replay_file_command(file);
        }
        let shrunk = finding.shrunk.as_ref();
        let shrunk = shrunk.and_then(|shrunk| shrunk.token.clone());
        match shrunk.or_else(|| finding.token.word().ok()) {
            Some(token) => full_command(&format!("replay {token}")),
            None => full_command(&self.soak_arguments(finding.seed)),
        }
    }

    /// The arguments that run one seed again.
    fn soak_arguments(&self, seed: u64) -> String {
        let SoakArguments {
            workload,
            store,
            mutant,
            ..
        } = self.arguments;
        let stores: Vec<&str> = store.iter().map(|store| store.kind().name()).collect();
        let mut command = format!("soak --seed {seed} --seeds 1 --store {}", stores.join(","));
        if workload != ALL {
            command.push_str(&format!(" --workload {workload}"));
        }
        if let Some(rule) = mutant {
            command.push_str(&format!(" --mutant {rule}"));
        }
        command
    }
}

fn notes(notes: &SeedNotes, what: &str, out: &mut impl Write) -> io::Result<()> {
    if notes.count > 0 {
        writeln!(out, "{}: {what}", counted(notes.count, "seed"))?;
    }
    for (seed, said) in &notes.lowest {
        let said = said.replace('\n', "\n    ");
        writeln!(out, "  {seed}: {said}")?;
    }
    Ok(())
}
