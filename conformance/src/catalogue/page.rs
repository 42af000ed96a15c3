//! The guide as a page: the text of `LAWS.md`.

use std::fmt::Write;

use super::{Law, catalogue};
use crate::contract::CONTRACT;
use crate::contract::capability::Claim;
use crate::guide::{Clause, Guide};

const HEAD: &str = "\
Each law is a test. The tables list the laws; [When a law fails](#when-a-law-fails) explains each law: \
why the engine needs it, what usually breaks it, and how to fix it. [README.md](README.md) says how to run \
the tests.

Kind: **R** the contract requires it, **N** the engine needs it, **C** required only with the named \
claim, **A** advice, which never fails a store.

Level: the level that needs the law. **L0** contract, **L1** concurrency and cancellation, \
**L2** reopening, **L3** process crash, **L4** power loss.
";

const CLAUSES: &str = "
## The clauses

The contract is the documentation of `CheckpointStore`. Most of it follows the module `recovery` of the \
crate `cano` 0.12.0. This table has each clause in the kit's words, and where the original is.

| clause | requires | source |
|---|---|---|
";

/// The catalogue and its guide as Markdown: the text of `LAWS.md`.
// Writing to a string never fails, so the results of `write!` are ignored.
pub fn catalogue_markdown() -> String {
    let mut text = format!("# The laws of a CheckpointStore, contract {CONTRACT}\n\n{HEAD}");
    for laws in groups() {
        let _ = writeln!(text, "\n## {}\n", laws[0].group.title);
        text.push_str("| id | law | kind | level |\n|---|---|---|---|\n");
        for law in laws {
            let (id, level) = (link(law), law.level());
            let _ = writeln!(
                text,
                "| {id} | {} | {} | {level} |",
                law.sentence,
                kind(law)
            );
        }
    }
    text.push_str(CLAUSES);
    for clause in Clause::ALL {
        let (says, place) = (clause.text(), clause.place());
        let _ = writeln!(text, "| {clause:?} | {says} | {place} |");
    }
    text.push_str("\n# When a law fails\n");
    for laws in groups() {
        let _ = writeln!(text, "\n## Laws of {}", laws[0].group.title);
        let group = laws[0].group.guide;
        let _ = writeln!(text, "\n{}\n", group.about);
        for (store, help) in [
            ("SQL", group.sql),
            ("Key-value", group.kv),
            ("Files", group.files),
        ] {
            let _ = writeln!(text, "- {store}: {help}.");
        }
        for law in laws {
            entry(&mut text, law);
        }
    }
    text
}

fn groups() -> impl Iterator<Item = &'static [Law]> {
    catalogue().chunk_by(|one, other| one.group == other.group)
}

fn link(law: &Law) -> String {
    let anchor = law.id.to_string().to_lowercase();
    format!("[{}](#{anchor})", law.id)
}

fn kind(law: &Law) -> String {
    let claim = law.claim.map_or("", Claim::word);
    format!("{} {claim}", law.kind.letter())
        .trim_end()
        .to_owned()
}

fn entry(text: &mut String, law: &Law) {
    let Guide {
        clause,
        reading,
        why,
        cause,
        fix,
    } = law.guide;
    let (id, sentence) = (law.id, law.sentence);
    let _ = writeln!(text, "\n### {id}\n\n*{sentence}*\n");
    let _ = writeln!(text, "- Why: {why}\n- Usual cause: {cause}\n- Fix: {fix}");
    let _ = write!(text, "- Clause: [{clause:?}](#the-clauses)");
    let _ = match reading {
        Some(reading) => writeln!(text, ", read as: {reading}."),
        None => writeln!(text, "."),
    };
}
