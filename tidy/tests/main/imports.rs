//! Which file of a crate names which: `crate::`, `super::` and `self::` paths, followed through
//! re-exports to the file that defines what they name.
//!
//! Not seen are glob imports and what a macro names.

use std::collections::{BTreeMap, BTreeSet};

use super::File;
use super::source::code;

/// The files of one crate's `src`, and what each names.
#[derive(Debug, Default)]
pub(super) struct Imports {
    /// Each file with the path of its module.
    modules: BTreeMap<Vec<String>, String>,
    /// What a module hands on under which name: the path that it is found at.
    reexports: BTreeMap<(Vec<String>, String), Vec<String>>,
    /// The paths that each module names, with the lines.
    named: BTreeMap<Vec<String>, Vec<(usize, Vec<String>)>>,
}

/// One file naming another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arrow {
    pub(super) from: String,
    pub(super) line: usize,
    pub(super) to: String,
}

impl Imports {
    /// Reads the files below `source`, a folder that ends with a slash. Paths are relative to it.
    pub(super) fn of(source: &str, files: &[File]) -> Self {
        let mut imports = Self::default();
        let inside = files
            .iter()
            .filter_map(|file| Some((file.path.strip_prefix(source)?, code(&file.text))));
        let inside: Vec<(&str, String)> =
            inside.filter(|(path, _)| path.ends_with(".rs")).collect();
        for (path, _) in &inside {
            imports.modules.insert(module_of(path), (*path).to_owned());
        }
        for (path, text) in &inside {
            imports.read(&module_of(path), text);
        }
        imports
    }

    fn read(&mut self, module: &[String], text: &str) {
        let mut named = Vec::new();
        for (line, is_reexport, path) in paths(text) {
            let Some(absolute) = self.absolute(module, &path, is_reexport) else {
                continue;
            };
            if is_reexport && let Some(name) = absolute.last() {
                let key = (module.to_vec(), name.clone());
                self.reexports.insert(key, absolute.clone());
            }
            named.push((line, absolute));
        }
        self.named.insert(module.to_vec(), named);
    }

    /// A path from the crate's root, or none where it leads out of the crate.
    fn absolute(&self, module: &[String], path: &[String], of_child: bool) -> Option<Vec<String>> {
        let mut at = module.to_vec();
        let mut rest = path;
        match rest.first()?.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => {
                while rest.first().is_some_and(|part| part == "super") {
                    at.pop()?;
                    rest = &rest[1..];
                }
                at.extend_from_slice(rest);
                return Some(at);
            }
            child if of_child => {
                let child = [module, &[child.to_owned()]].concat();
                if !self.modules.contains_key(&child) {
                    return None;
                }
                at.extend_from_slice(rest);
                return Some(at);
            }
            _ => return None,
        }
        at.extend_from_slice(&rest[1..]);
        Some(at)
    }

    /// The file that a path leads to.
    fn resolve(&self, path: &[String], steps_left: usize) -> Option<&str> {
        let mut module: &[String] = &[];
        for (index, part) in path.iter().enumerate() {
            let child = &path[..=index];
            if self.modules.contains_key(child) {
                module = child;
                continue;
            }
            if let Some(elsewhere) = self.reexports.get(&(module.to_vec(), part.clone()))
                && steps_left > 0
                && elsewhere != path
            {
                let on: Vec<String> = [elsewhere, &path[index + 1..]].concat();
                return self.resolve(&on, steps_left - 1);
            }
            break;
        }
        self.modules.get(module).map(String::as_str)
    }

    /// Every file that names another, once for each pair.
    pub(super) fn arrows(&self) -> Vec<Arrow> {
        let mut seen = BTreeSet::new();
        let mut arrows = Vec::new();
        for (module, named) in &self.named {
            let from = &self.modules[module];
            for (line, path) in named {
                let to = self.resolve(path, 8);
                let to = to.filter(|to| *to != from && seen.insert((from.clone(), to.to_string())));
                arrows.extend(to.map(|to| Arrow {
                    from: from.clone(),
                    line: *line,
                    to: to.to_owned(),
                }));
            }
        }
        arrows
    }
}

/// Files that name each other in a circle: the largest such groups.
pub(super) fn circles(arrows: &[Arrow]) -> Vec<BTreeSet<&str>> {
    let reach = |from: &'_ str| {
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        let mut frontier = vec![from.to_owned()];
        while let Some(file) = frontier.pop() {
            for arrow in arrows.iter().filter(|arrow| arrow.from == file) {
                if reached.insert(&arrow.to) {
                    frontier.push(arrow.to.clone());
                }
            }
        }
        reached
    };
    let files: BTreeSet<&str> = arrows.iter().map(|arrow| arrow.from.as_str()).collect();
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        files.iter().map(|file| (*file, reach(file))).collect();
    let mut circles = Vec::new();
    let mut reported: BTreeSet<&str> = BTreeSet::new();
    for (file, onwards) in &reached {
        if reported.contains(file) || !onwards.contains(file) {
            continue;
        }
        let back = |other: &&str| reached.get(other).is_some_and(|set| set.contains(file));
        let circle: BTreeSet<&str> = onwards.iter().copied().filter(back).collect();
        reported.extend(&circle);
        circles.push(circle);
    }
    circles
}

/// The path of the module in a file: none for `lib.rs` and `main.rs`.
fn module_of(path: &str) -> Vec<String> {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
    let is_face = |last: &String| last == "mod" || (last == "lib" || last == "main");
    if parts.last().is_some_and(is_face) {
        parts.pop();
    }
    parts
}

/// Every path of a text that may lead to another file: its line, whether a `pub use` hands it on, and
/// its parts.
fn paths(text: &str) -> Vec<(usize, bool, Vec<String>)> {
    let mut found = Vec::new();
    let starts = ["crate::", "super::", "self::"];
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let free = !text[..at].ends_with(|before: char| is_word(before) || before == ':');
        let statement = statement(rest).filter(|_| free);
        let path = starts.iter().any(|start| rest.starts_with(start)) && free;
        let (tree, is_reexport) = match statement {
            Some((tree, is_reexport)) => (tree, is_reexport),
            None if path => (rest, false),
            None => {
                at += rest.chars().next().map_or(1, char::len_utf8);
                continue;
            }
        };
        let start = text.len() - tree.len();
        let line = text[..start].matches('\n').count() + 1;
        let mut parts = Vec::new();
        let length = read_tree(tree, &mut Vec::new(), &mut parts);
        let of_crate = |parts: &Vec<String>| {
            is_reexport
                || starts
                    .iter()
                    .any(|start| start.strip_suffix("::") == Some(&parts[0]))
        };
        let parts = parts.into_iter().filter(|parts| !parts.is_empty());
        found.extend(
            parts
                .filter(of_crate)
                .map(|parts| (line, is_reexport, parts)),
        );
        at = start + length.max(1);
    }
    found
}

/// The tree of a `use` that begins here, and whether it hands on what it names.
fn statement(text: &str) -> Option<(&str, bool)> {
    if let Some(tree) = text.strip_prefix("use ") {
        return Some((tree, false));
    }
    let rest = text.strip_prefix("pub")?;
    let rest = match rest.strip_prefix('(') {
        Some(scope) => &scope[scope.find(')')? + 1..],
        None => rest,
    };
    let tree = rest.strip_prefix(" use ")?;
    Some((tree, true))
}

/// Reads `a::{b, c::d}` into its paths. Gives how much of the text it was.
fn read_tree(text: &str, prefix: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    let depth = prefix.len();
    let mut at = 0;
    loop {
        let word = text[at..].find(|c| !is_word(c)).unwrap_or(text.len() - at);
        if word > 0 {
            prefix.push(text[at..at + word].to_owned());
        }
        at += word;
        let Some(rest) = text[at..].strip_prefix("::") else {
            break;
        };
        at += 2;
        if let Some(group) = rest.strip_prefix('{') {
            at += 1;
            let mut group = group;
            loop {
                let space = group.len() - group.trim_start().len();
                at += space;
                group = &group[space..];
                if group.is_empty() || group.starts_with('}') {
                    at += usize::from(!group.is_empty());
                    break;
                }
                let length = read_tree(group, prefix, found);
                let end = group[length..].find([',', '}']).unwrap_or(0);
                let comma = usize::from(group[length + end..].starts_with(','));
                let step = (length + end + comma).max(1);
                at += step;
                group = &group[step..];
            }
            prefix.truncate(depth);
            return at;
        }
    }
    // `a::{self}` names `a`.
    if prefix.len() > depth && prefix.len() > 1 && prefix.last().is_some_and(|last| last == "self")
    {
        prefix.pop();
    }
    found.push(prefix.clone());
    prefix.truncate(depth);
    at
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn made_up(files: &[(&str, &str)]) -> Imports {
    let file = |(path, text): &(&str, &str)| File {
        path: format!("x/src/{path}"),
        text: (*text).to_owned(),
    };
    let files: Vec<File> = files.iter().map(file).collect();
    Imports::of("x/src/", &files)
}

#[test]
fn paths_lead_to_the_file_that_defines_what_they_name() {
    let imports = made_up(&[
        (
            "lib.rs",
            "mod a;\npub mod b;\npub use b::{One, deep::Two as Other};\n",
        ),
        (
            "a.rs",
            "use crate::{\n    b::{One, deep::Two},\n    SmolStr,\n};\n// crate::c\n",
        ),
        (
            "b/mod.rs",
            "mod one;\nmod deep;\npub(crate) use one::One;\nfn f() { crate::c::g(\"crate::a\"); }\n",
        ),
        ("b/one.rs", "use super::deep::Two;\nuse std::fmt;\n"),
        ("b/deep.rs", "use super::super::c;\nstruct Two;\n"),
        ("c.rs", "fn g() -> crate::One { self::h() }\n"),
    ]);
    let arrows = imports.arrows();
    let of = |from: &str| {
        let arrows = arrows.iter().filter(|arrow| arrow.from == from);
        arrows
            .map(|arrow| (arrow.line, arrow.to.as_str()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of("a.rs"),
        [(1, "b/one.rs"), (1, "b/deep.rs"), (1, "lib.rs")]
    );
    assert_eq!(of("b/mod.rs"), [(3, "b/one.rs"), (4, "c.rs")]);
    assert_eq!(of("b/one.rs"), [(1, "b/deep.rs")]);
    assert_eq!(of("b/deep.rs"), [(1, "c.rs")]);
    assert_eq!(of("c.rs"), [(1, "b/one.rs")]);
    let circle = ["b/deep.rs", "b/one.rs", "c.rs"];
    assert_eq!(circles(&arrows), [BTreeSet::from(circle)]);
}
