//! Every file of a crate is a module of it: the compiler says nothing about a file that nobody names.

use super::{File, Finding};

/// The files that no module declares.
pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let sources = files.iter().filter(|file| file.path.ends_with(".rs"));
    let undeclared = sources.filter(|file| {
        let Some((name, folder)) = module_of(&file.path) else {
            return false;
        };
        let parents = parents_of(folder);
        let mut parents = files.iter().filter(|file| parents.contains(&file.path));
        // Without a parent it is a root, as each of several binaries is.
        let declares = |file: &File| file.text.lines().any(|line| is_declaration(line, name));
        parents.clone().next().is_some() && !parents.any(declares)
    });
    let found = undeclared.map(|file| {
        let message = "no module declares this file, so it is not compiled".to_owned();
        Finding::new(&file.path, 1, message)
    });
    found.collect()
}

/// The name of the module in this file, and the folder of the module that has to declare it.
fn module_of(path: &str) -> Option<(&str, &str)> {
    let (folder, file) = path.rsplit_once('/')?;
    match file {
        "lib.rs" | "main.rs" | "build.rs" => None,
        "mod.rs" => folder.rsplit_once('/').map(|(folder, name)| (name, folder)),
        _ => Some((file.strip_suffix(".rs")?, folder)),
    }
}

/// Where the module of a folder can be.
fn parents_of(folder: &str) -> [String; 4] {
    ["/mod.rs", "/lib.rs", "/main.rs", ".rs"].map(|file| format!("{folder}{file}"))
}

/// Whether a line is `mod name;`, however visible.
fn is_declaration(line: &str, name: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    matches!(words[..], [.., "mod", declared] if declared.strip_suffix(';') == Some(name))
}

#[test]
fn a_file_that_no_module_declares_is_found() {
    let check = |files: &[(&str, &str)]| {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        let files: Vec<File> = files.iter().map(file).collect();
        let found = check(&files).into_iter().map(|finding| finding.path);
        found.collect::<Vec<String>>()
    };
    let lib = ("x/src/lib.rs", "mod a;\npub(crate) mod b;\n// mod c;\n");
    assert_eq!(
        check(&[lib, ("x/src/a.rs", ""), ("x/src/b/mod.rs", "")]),
        [""; 0]
    );
    assert_eq!(check(&[lib, ("x/src/d.rs", "")]), ["x/src/d.rs"]);
    assert_eq!(check(&[lib, ("x/src/d/mod.rs", "")]), ["x/src/d/mod.rs"]);
    let a = ("x/src/a.rs", "    mod inner;\n");
    assert_eq!(check(&[lib, a, ("x/src/a/inner.rs", "")]), [""; 0]);
    assert_eq!(
        check(&[lib, a, ("x/src/a/other.rs", "")]),
        ["x/src/a/other.rs"]
    );
    assert_eq!(check(&[("x/examples/one.rs", "")]), [""; 0]);
}
