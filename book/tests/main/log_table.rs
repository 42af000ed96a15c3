//! The table "The log" of the engine's architecture.

use crashpoint::RowKind;

#[test]
fn the_table_of_the_log_has_every_row_kind() {
    let page = include_str!("../../../docs/architecture/engine.md");
    for kind in RowKind::ALL {
        let row = format!("\n| {} | `{kind:?}` |", kind.code());
        assert!(page.contains(&row), "the page lacks the row {row:?}");
    }
}
