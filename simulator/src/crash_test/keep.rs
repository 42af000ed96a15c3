//! The regression test that a failure prints: the author's own test, which replays one schedule
//! instead of running all.
//!
//! It is the text of the author's function, read from the source file at the place that the
//! compiler recorded. There is none if that is not one plain function that ends in the crash test.

use std::panic::Location;
use std::{env, fs};

use proc_macro2::{Delimiter, Group, LineColumn, TokenStream, TokenTree};

/// The maximal length of a function that is printed, in lines.
const LINES_MAX: usize = 80;

/// The function around a crash test's `run`, with another name and with the call `replay` instead.
pub(super) fn test(name: &str, run: &Location<'_>, replay: &str) -> Option<String> {
    let source = source_of(run.file())?;
    let run = LineColumn {
        line: run.line() as usize,
        column: run.column() as usize - 1,
    };
    let stream: TokenStream = source.parse().ok()?;
    let body = body_around(stream, run)?;
    let text = before(&body, &source, run)?;
    let is_readable = |c: char| !c.is_control() || c == '\n' || c == '\t';
    if !text.chars().all(is_readable) || text.lines().count() > LINES_MAX {
        return None;
    }
    let margin = " ".repeat(body.span_close().start().column);
    Some(format!(
        "{margin}#[test]\n{margin}fn {name}() {{{text}{replay};\n{margin}}}"
    ))
}

/// Finds the source file. The compiler names it relative to its folder: the package, or a folder
/// above.
fn source_of(file: &str) -> Option<String> {
    let folder = env::current_dir().ok()?;
    let mut folders = folder.ancestors();
    folders.find_map(|folder| fs::read_to_string(folder.join(file)).ok())
}

/// The body of the innermost `fn name()` around a place.
fn body_around(stream: TokenStream, at: LineColumn) -> Option<Group> {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let around = tokens
        .iter()
        .enumerate()
        .find_map(|(index, token)| match token {
            TokenTree::Group(group) if surrounds(group, at) => Some((index, group)),
            _ => None,
        });
    let (index, group) = around?;
    body_around(group.stream(), at).or_else(|| {
        let plain = match &tokens[..index] {
            [before @ .., keyword, TokenTree::Ident(_), parameters] => {
                let is_async = before.last().is_some_and(|token| is(token, "async"));
                is(keyword, "fn") && !is_async && is_empty(parameters)
            }
            _ => false,
        };
        plain.then(|| group.clone())
    })
}

fn surrounds(group: &Group, at: LineColumn) -> bool {
    group.span_open().start() < at && at < group.span_close().start()
}

fn is(token: &TokenTree, word: &str) -> bool {
    match token {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Punct(punct) => word == punct.as_char().to_string(),
        TokenTree::Group(_) | TokenTree::Literal(_) => false,
    }
}

fn is_empty(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group)
        if group.delimiter() == Delimiter::Parenthesis && group.stream().is_empty())
}

/// The text of a body before `run()`, without the binding of its result.
fn before(body: &Group, source: &str, run: LineColumn) -> Option<String> {
    let tokens: Vec<TokenTree> = body.stream().into_iter().collect();
    let at = tokens
        .iter()
        .position(|token| token.span().start() == run)?;
    let called = is(&tokens[at], "run") && tokens.get(at + 1).is_some_and(is_empty);
    if !called || !is(tokens.get(at.checked_sub(1)?)?, ".") {
        return None;
    }
    let semicolon = tokens[..at].iter().rposition(|token| is(token, ";"));
    let first = semicolon.map_or(0, |semicolon| semicolon + 1);
    let mut value = first;
    if is(&tokens[first], "let") {
        value += tokens[first..at].iter().position(|token| is(token, "="))? + 1;
    }
    let starts = |token: &TokenTree| token.span().byte_range().start;
    let open = body.span_open().byte_range().end;
    let statements = source.get(open..starts(&tokens[first]))?;
    let test = source.get(starts(&tokens[value])..starts(&tokens[at]))?;
    Some(format!("{statements}{test}"))
}
