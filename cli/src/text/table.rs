//! Tables on a terminal.

use comfy_table::{Cell, CellAlignment, LineStyle, Table, TableStyle};

/// A table without vertical lines, so that it fits a terminal of 80 columns.
pub(crate) fn table_of(header: &[&str]) -> Table {
    const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─'));
    let mut table = Table::new();
    table.load_style(STYLE).set_header(header.to_vec());
    table
}

/// A cell aligned to the right.
pub(crate) fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}
