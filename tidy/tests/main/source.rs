//! Rust source without what the compiler does not read as code.

/// `text` with comments and the insides of literals blanked; every line stays where it is.
pub(super) fn code(text: &str) -> String {
    let mut scanner = Scanner {
        rest: text,
        code: String::with_capacity(text.len()),
    };
    while !scanner.rest.is_empty() {
        scanner.step();
    }
    scanner.code
}

/// Whether `line` names `needle`: the whole word where it begins or ends with one.
pub(super) fn names(line: &str, needle: &str) -> bool {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let opens = needle.starts_with(is_word);
    let closes = needle.ends_with(is_word);
    line.match_indices(needle).any(|(start, found)| {
        let before = line[..start].chars().next_back();
        let after = line[start + found.len()..].chars().next();
        let goes_on = opens && before.is_some_and(is_word) || closes && after.is_some_and(is_word);
        !goes_on
    })
}

struct Scanner<'a> {
    rest: &'a str,
    code: String,
}

impl Scanner<'_> {
    fn step(&mut self) {
        let word_before = self
            .code
            .ends_with(|character: char| character.is_alphanumeric() || character == '_');
        if self.rest.starts_with("//") {
            self.blank(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.blank(block_comment(self.rest));
        } else if let Some(end) = raw_string(self.rest).filter(|_| !word_before) {
            self.blank(end);
        } else if self.rest.starts_with('"') {
            self.blank(quoted(self.rest, '"'));
        } else if is_character(self.rest) {
            self.blank(quoted(self.rest, '\''));
        } else {
            let first = self.rest.chars().next().expect("there is a rest");
            self.code.push(first);
            self.rest = &self.rest[first.len_utf8()..];
        }
    }

    fn blank(&mut self, length: usize) {
        let (blanked, rest) = self.rest.split_at(length);
        let blank = |character| if character == '\n' { '\n' } else { ' ' };
        self.code.extend(blanked.chars().map(blank));
        self.rest = rest;
    }
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of the raw string that `text` begins with.
fn raw_string(text: &str) -> Option<usize> {
    let prefix = ["r", "br", "cr"]
        .into_iter()
        .find(|prefix| text.starts_with(prefix))?;
    let rest = &text[prefix.len()..];
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    let body = rest[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let opening = text.len() - body.len();
    let length = body.find(&close).map(|end| end + close.len());
    Some(length.map_or(text.len(), |length| opening + length))
}

/// The length of the literal that `text` begins with.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            found if found == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Whether `text` begins with a character, not with a lifetime.
fn is_character(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next() == Some('\'')
        && match characters.next() {
            Some('\\') => true,
            Some(_) => characters.next() == Some('\''),
            None => false,
        }
}

#[test]
fn code_is_what_is_left_without_comments_and_literals() {
    let cases = [
        ("a // b", "a     "),
        ("a /* b /* c */ d */ e", "a                   e"),
        ("f(\"a \\\" b\", c)", "f(        , c)"),
        ("r#\"a \" b\"# + c", "           + c"),
        ("for", "for"),
        ("'a' 'b", "    'b"),
        ("'\\'' x", "     x"),
        ("/// doc\ncode", "       \ncode"),
        ("\"a\nb\" c", "  \n   c"),
    ];
    for (text, expected) in cases {
        assert_eq!(code(text), expected, "{text}");
    }
}

#[test]
fn names_are_whole_words() {
    assert!(names("use tokio::time;", "tokio"));
    assert!(!names("TokioRuntime, tokio_util", "tokio"));
    assert!(names("x.await?", "await"));
    assert!(!names("awaits", "await"));
    assert!(names("#[ignore]", "#[ignore"));
}
