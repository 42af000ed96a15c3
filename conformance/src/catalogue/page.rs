//! The guide as a page: the text of `LAWS.md`.

use std::fmt::Write;

use super::{Law, catalogue};
use crate::contract::CONTRACT;
use crate::contract::capability::Claim;
use crate::guide::{Clause, Guide};

const HEAD: &str = "\
Each law is a test with a name. Below is for each of them why it holds, which clause of the contract it \
enforces, and what to do when it fails. How to run them: [README.md](README.md).

Kind: **R** the contract's own text, **N** implied by what the engine does with a store, **C** only \
with the claim named, **A** advisory: reported, never failing.

Level: what the law adds to, **L0** contract, **L1** concurrency and cancellation, **L2** reopening, \
**L3** process crash, **L4** power loss.
";

const CLAUSES: &str = "
## The clauses

The contract is the documentation of `CheckpointStore`; most of it follows the module `recovery` of the \
crate `cano` 0.12.0. What follows is in the kit's words, with the place of the original.

| clause | says | written in |
|---|---|---|
";

/// The catalogue and its guide as Markdown: the text of `LAWS.md`.
// Writing to a string never fails: what `write!` answers says nothing.
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
        let _ = writeln!(text, "\n## When it is about {}", laws[0].group.title);
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
        fix,
    } = law.guide;
    let (id, sentence) = (law.id, law.sentence);
    let _ = writeln!(text, "\n### {id}\n\n*{sentence}*\n\n{why}\n\n{fix}\n");
    let _ = writeln!(text, "Clause {clause:?}: {}.", clause.text());
    if let Some(reading) = reading {
        let _ = writeln!(text, "Our reading of it: {reading}.");
    }
}
