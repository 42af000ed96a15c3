//! Tables of Markdown pages: the one place where the order of crates and rooms is written down.

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row<'a> {
    /// Its line, counted from 1.
    pub(super) line: usize,
    pub(super) cells: Vec<&'a str>,
}

/// The rows of every table whose header begins with these cells.
pub(super) fn rows<'a>(page: &'a str, header: &[&str]) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    let mut within = false;
    for (index, text) in page.lines().enumerate() {
        let Some(cells) = cells(text) else {
            within = false;
            continue;
        };
        if cells.starts_with(header) {
            within = true;
        } else if within && !cells.iter().all(|cell| cell.starts_with('-')) {
            let line = index + 1;
            rows.push(Row { line, cells });
        }
    }
    rows
}

fn cells(line: &str) -> Option<Vec<&str>> {
    let inside = line.strip_prefix('|')?.strip_suffix('|')?;
    Some(inside.split('|').map(str::trim).collect())
}

/// The texts between single backticks.
pub(super) fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn only_the_rows_of_the_wanted_table_are_read() {
    let page = "| a | b |\n|---|---|\n| 1 | `x` and `y` |\n\n| c | b |\n|---|---|\n| 2 | z |\n\
                | a | b |\n";
    let found = rows(page, &["a", "b"]);
    assert_eq!(
        found,
        [Row {
            line: 3,
            cells: vec!["1", "`x` and `y`"]
        }]
    );
    assert_eq!(quoted(found[0].cells[1]).collect::<Vec<_>>(), ["x", "y"]);
    assert_eq!(rows(page, &["a", "c"]), []);
}
