//! Relative links of Markdown pages: the target exists, its heading too, and a page of the book
//! links to nothing outside of the book.

use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::Finding;

/// The folder of the book, and the page that lists its chapters.
const BOOK: &str = "docs/";
const SUMMARY: &str = "docs/SUMMARY.md";

/// What is looked at of a Markdown page.
#[derive(Default)]
struct Page {
    /// Destinations, with the lines on which they stand.
    links: Vec<(usize, String)>,
    /// The anchors that a browser finds, as GitHub and mdbook name them.
    anchors: BTreeSet<String>,
}

/// Checks the links of `pages`, each a path and its text; `exists` knows every other file.
pub(super) fn check(pages: &[(&str, &str)], exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let pages: BTreeMap<&str, Page> = pages
        .iter()
        .map(|(path, text)| (*path, read(text)))
        .collect();
    let links = |page: &str| pages.get(page).into_iter().flat_map(|page| &page.links);
    let chapters: BTreeSet<String> = links(SUMMARY)
        .filter_map(|(_, link)| resolve(SUMMARY, link).map(|(path, _)| path))
        .collect();

    let mut findings = Vec::new();
    for (path, page) in &pages {
        for (line, link) in &page.links {
            let Some((target, anchor)) = resolve(path, link) else {
                continue;
            };
            let is_page = pages.contains_key(target.as_str());
            let is_missing = !is_page && !exists(&target);
            let lacks_heading = pages
                .get(target.as_str())
                .is_some_and(|page| !anchor.is_empty() && !page.anchors.contains(anchor));
            let leaves_the_book = chapters.contains(*path)
                && !chapters.contains(&target)
                && (is_page || !target.starts_with(BOOK));
            let problem = if is_missing {
                "leads nowhere"
            } else if lacks_heading {
                "names a heading that does not exist"
            } else if leaves_the_book {
                "leaves the book"
            } else {
                continue;
            };
            findings.push(Finding::new(path, *line, format!("{link} {problem}")));
        }
        let in_book = path.starts_with(BOOK) && *path != SUMMARY;
        if in_book && !chapters.is_empty() && !chapters.contains(*path) {
            findings.push(Finding::new(path, 1, format!("is not in {SUMMARY}")));
        }
    }
    findings
}

fn read(text: &str) -> Page {
    let mut page = Page::default();
    let mut heading: Option<String> = None;
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                let line = text[..range.start].matches('\n').count() + 1;
                page.links.push((line, dest_url.into_string()));
            }
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let slug = slug(&heading.take().unwrap_or_default());
                let repeats = (1..).map(|nth| format!("{slug}-{nth}"));
                let mut names = std::iter::once(slug.clone()).chain(repeats);
                let free = names.find(|name| !page.anchors.contains(name));
                page.anchors.extend(free);
            }
            Event::Text(words) | Event::Code(words) => {
                if let Some(heading) = &mut heading {
                    *heading += &words;
                }
            }
            _ => {}
        }
    }
    page
}

/// The anchor of a heading.
fn slug(heading: &str) -> String {
    heading
        .trim()
        .chars()
        .filter_map(|character| match character {
            ' ' => Some('-'),
            '-' | '_' => Some(character),
            _ if character.is_alphanumeric() => Some(character.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}

/// The path and the anchor that a relative link of `page` means; none for an address.
fn resolve<'a>(page: &str, link: &'a str) -> Option<(String, &'a str)> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    if path.is_empty() {
        return Some((page.to_owned(), anchor));
    }
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in path.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => _ = parts.pop(),
            _ => parts.push(part),
        }
    }
    Some((parts.join("/"), anchor))
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let exists = |path: &str| ["docs/a.svg", "LICENSE", "cli"].contains(&path);
    let found = |text: &str| {
        let pages = [
            ("README.md", text),
            ("docs/SUMMARY.md", "- [A](a.md)\n"),
            ("docs/a.md", "# A `b`: c\n\n## Twice\n\n## Twice\n"),
        ];
        let findings = check(&pages, exists);
        let findings = findings.into_iter();
        findings
            .map(|finding| format!("{}:{} {}", finding.path, finding.line, finding.message))
            .collect::<Vec<_>>()
    };
    let whole = "# R\n\n[a](docs/a.md#a-b-c) [t](docs/a.md#twice-1) [r](#r) [cli](cli/)\n\
                 ![a](docs/a.svg) [l](LICENSE) <https://example.org/x> `[x](y)`\n";
    assert_eq!(found(whole), [""; 0]);
    assert_eq!(
        found("# R\n\n[b](docs/b.md)\n[d](docs/a.md#d)\n"),
        [
            "README.md:3 docs/b.md leads nowhere",
            "README.md:4 docs/a.md#d names a heading that does not exist"
        ]
    );
}

#[test]
fn the_book_is_whole_and_closed() {
    let pages = [
        ("README.md", "# R\n"),
        ("docs/SUMMARY.md", "- [A](a.md)\n"),
        ("docs/a.md", "[R](../README.md) [b](b.md) [c](c.txt)\n"),
        ("docs/b.md", ""),
    ];
    assert_eq!(
        check(&pages, |path| path == "docs/c.txt"),
        [
            Finding::new("docs/a.md", 1, "../README.md leaves the book"),
            Finding::new("docs/a.md", 1, "b.md leaves the book"),
            Finding::new("docs/b.md", 1, "is not in docs/SUMMARY.md"),
        ]
    );
}
