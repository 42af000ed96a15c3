//! Every Rust example of the README is a compiled one: the same text stands in a crate's docs.

use super::Finding;

/// Where the compiled twins of the README's examples stand.
pub(super) const HOMES: &[&str] = &[
    "engine/src/lib.rs",
    "conformance/src/lib.rs",
    "simulator/src/lib.rs",
];

/// The README's examples that no doc example equals.
pub(super) fn check(readme: &str, compiled: &[String]) -> Vec<Finding> {
    let blocks = fenced(readme);
    let examples = blocks
        .into_iter()
        .filter(|(_, language, _)| *language == "rust");
    let examples: Vec<_> = examples.collect();
    if examples.is_empty() {
        return vec![Finding::new("README.md", 1, "no example was looked at")];
    }
    examples
        .into_iter()
        .filter(|(.., example)| {
            let example: String = example.lines().map(unindented).collect();
            !compiled.contains(&example)
        })
        .map(|(line, ..)| {
            let message = format!("this example is not one of {}", HOMES.join(", "));
            Finding::new("README.md", line, message)
        })
        .collect()
}

/// The examples of a crate's own docs, with the lines that rustdoc hides.
pub(super) fn doc_examples(source: &str) -> Vec<String> {
    let docs: String = source
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
        .collect();
    let compiled = |language: &str| matches!(language, "" | "rust");
    fenced(&docs)
        .into_iter()
        .filter(|(_, language, _)| compiled(language))
        .map(|(_, _, example)| example.lines().map(shown).collect())
        .collect()
}

/// A line of a doc example without the sign that hides it.
fn shown(line: &str) -> String {
    let shown = match line {
        "#" => "",
        _ => line.strip_prefix("# ").unwrap_or(line),
    };
    unindented(shown)
}

/// Hidden lines are written without indentation, so that indentation is not compared.
fn unindented(line: &str) -> String {
    format!("{}\n", line.trim_start())
}

/// The fenced blocks of a Markdown text: the line of the fence, the language, the contents.
fn fenced(text: &str) -> Vec<(usize, &str, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, &str, String)> = None;
    for (index, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(language), None) => open = Some((index + 1, language, String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, _, contents))) => *contents += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    blocks
}

#[test]
fn an_example_of_its_own_is_found() {
    let source = "//! A crate.\n//!\n//! ```\n//! # async fn main() {\n//! run();\n//! #\n//! # }\n\
                  //! ```\nfn code() {}\n//! ```\n//! no();\n//! ```\n";
    let compiled = doc_examples(source);
    assert_eq!(compiled, ["async fn main() {\nrun();\n\n}\n"]);

    let same = "# A\n\n```sh\nls\n```\n\n```rust\nasync fn main() {\n    run();\n\n}\n```\n";
    assert_eq!(check(same, &compiled), []);
    let other = same.replace("run()", "walk()");
    let [finding] = &check(&other, &compiled)[..] else {
        panic!("one example differs");
    };
    assert_eq!(finding.line, 7);
    assert_eq!(check("# A\n", &compiled).len(), 1);
}
