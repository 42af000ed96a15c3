//! The pages in `docs/` about the kit: `kill-matrix.md` lists the lines of the matrix, and the example's
//! certificate covers every law.

use std::fmt::Write as _;
use std::path::Path;

use crashpoint_conformance::__private::CONSEQUENCES;
use crashpoint_conformance::{Claim, Law, LawId, Sensitivity, catalogue};
use expect_test::expect_file;

use crate::kill_matrix::power::{COST_ROUNDS, caught_min};
use crate::kill_matrix::{EXEMPT, NAMED, NAMED_CLAIMED, NAMED_KILLED, Named};

const HEAD: &str = "\
# The kill matrix

A law that never fails proves nothing. So each law has a *mutant*, a store that is broken on purpose, and a
test in which the law must catch the mutant with a message that contains the words below. The mutants are in
`conformance/tests/main/mutants/`, the lines of the matrix in `conformance/tests/main/kill_matrix/mod.rs`:

    cargo test -p crashpoint-conformance --test main kill_matrix

Each line states which laws must object to the mutant, and whether other laws that are sensitive to scheduling
may object too; these are then not asked. Every other law must pass. No line is retried.

With `CRASHPOINT_MATRIX_JOURNAL=FILE` each line appends a JSON object to that file: the laws that objected,
how long each law took, and in how many rounds a law caught the mutant.

`UPDATE_EXPECT=1 cargo test -p crashpoint-conformance --test main pages` writes this page, and a test
compares it with the matrix.
";

const RACES: &str = "
## Races

Some laws catch a mutant only when two operations meet in a gap of the mutant. Such a law runs alone for the
rounds below, and must catch the mutant in the stated number of them. The gap stays open until the operations
have met. So the number measures the power of the law and not of the machine: whether the law lets the right
callers race, and whether it sees the damage.

";

const COSTS: &str = "
## Costs

A law of cost compares two times that it measures in turn, or counts bytes. It fails a store that exceeds the bound
in each of four tries, so a busy machine hides a fault more easily than it shows one that is not there. Each law that
measures times runs alone for the rounds below, and must catch its mutant in the stated number of them.

";

fn page() -> String {
    let all = [NAMED, NAMED_KILLED, NAMED_CLAIMED];
    let all: Vec<&Named> = all.into_iter().flatten().collect();
    let mut page = HEAD.to_owned();
    let (laws, mutants) = (catalogue().len(), all.len());
    let _ = writeln!(page, "\n{laws} laws, {mutants} mutants.");
    for laws in catalogue().chunk_by(|one, other| one.group == other.group) {
        let _ = writeln!(page, "\n## {}\n", laws[0].group.title);
        page.push_str("| law | requires | mutant | its message contains |\n|---|---|---|---|\n");
        for law in laws {
            let mut killed = all.iter().filter(|named| named.by == law.id).peekable();
            if killed.peek().is_none() {
                let why = exempt(law.id).unwrap_or("no mutant yet");
                let _ = writeln!(page, "| {} | {} | none | {why} |", law.id, law.sentence);
            }
            for Named { mutant, saying, .. } in killed {
                let (id, sentence, saying) = (law.id, law.sentence, code(saying));
                let _ = writeln!(page, "| {id} | {sentence} | `{mutant}` | {saying} |");
            }
        }
    }
    page.push_str(RACES);
    page.push_str("| law | mutant | caught in at least |\n|---|---|---|\n");
    let races = |named: &&Named| named.by.law().sensitivity == Sensitivity::Scheduling;
    for Named {
        mutant, by, rounds, ..
    } in NAMED.iter().filter(races)
    {
        let least = caught_min(*rounds);
        let _ = writeln!(page, "| {by} | `{mutant}` | {least} of {rounds} |");
    }
    page.push_str(COSTS);
    page.push_str("| law | mutant | caught in at least |\n|---|---|---|\n");
    let measures = |named: &&Named| named.by.law().sensitivity == Sensitivity::Time;
    let (rounds, least) = (COST_ROUNDS, caught_min(COST_ROUNDS));
    for Named { mutant, by, .. } in NAMED_CLAIMED.iter().filter(measures) {
        let _ = writeln!(page, "| {by} | `{mutant}` | {least} of {rounds} |");
    }
    page
}

fn exempt(law: LawId) -> Option<&'static str> {
    let exempt = EXEMPT.iter().find(|(id, _)| *id == law);
    exempt.map(|(_, why)| *why)
}

/// Code in the cell of a table. Within two backticks there may be one.
fn code(text: &str) -> String {
    let text = text.replace('|', "\\|");
    if text.contains('`') {
        format!("`` {text} ``")
    } else {
        format!("`{text}`")
    }
}

/// The lines of the matrix that fail more than one law, or may, as the table of the kit. Laws that race fail
/// together by chance: of two such laws none explains the other.
fn consequences() -> String {
    let code = |law: &LawId| format!(" {law:?}");
    let all = [NAMED, NAMED_KILLED, NAMED_CLAIMED].into_iter().flatten();
    let mut table = String::new();
    let explains = |line: &&Named| {
        let steady = line.by.law().sensitivity != Sensitivity::Scheduling;
        !line.also.is_empty() || !line.spares.is_empty() || line.races && steady
    };
    for line in all.filter(explains) {
        // A line with `spares` does not say which laws it fails: the table does, and the line is held
        // against it.
        let seen = CONSEQUENCES.iter().find(|it| it.mutant == line.mutant);
        let also = match line.spares {
            [] => line.also,
            _ => seen.map_or(&[][..], |it| it.also),
        };
        let also: String = also.iter().map(code).collect();
        let may = match (line.spares, line.races) {
            ([], false) => String::new(),
            ([], true) => "racing".to_owned(),
            (spared, _) => format!("all but{}", spared.iter().map(code).collect::<String>()),
        };
        let (mutant, by) = (line.mutant, line.by);
        let _ = writeln!(table, "    {mutant}: {by:?} => [{}] [{may}];", also.trim());
    }
    table
}

#[test]
fn the_table_of_consequences_is_the_matrix() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/catalogue/consequences.rs");
    let file = std::fs::read_to_string(&path).unwrap();
    let (head, _) = file.rsplit_once("consequences! {\n").unwrap();
    let expected = format!("{head}consequences! {{\n{}}}\n", consequences());
    expect_file![path].assert_eq(&expected);
}

#[test]
fn the_page_is_the_matrix() {
    expect_file!["../../../docs/kill-matrix.md"].assert_eq(&page());
}

/// The certificate is made by hand, since the example is not part of the workspace: `cargo test` in its
/// folder, with `CRASHPOINT_REPORT` naming a file, and `crashpoint report FILE --markdown --badge ...`.
#[test]
fn the_certificate_of_the_example_is_about_every_law() {
    let certificate = include_str!("../../../docs/certificates/plain-files.md");
    let rows = certificate
        .lines()
        .filter(|line| line.contains(" | pass | "));
    let ids: Vec<_> = rows.filter_map(|line| line.split(' ').nth(1)).collect();
    // Its place is taken while a store is open in it, so it claims no second handle; it lists no runs, and it
    // has no server.
    let unclaimed = [
        Claim::ManyHandles,
        Claim::Listing,
        Claim::ServerCrash,
        Claim::Failover,
    ]
    .map(Some);
    let claimed = |law: &&Law| !unclaimed.contains(&law.claim);
    let laws = catalogue().iter().filter(claimed);
    let laws = laws.map(|law| law.id.to_string());
    assert_eq!(ids, laws.collect::<Vec<_>>());
}
