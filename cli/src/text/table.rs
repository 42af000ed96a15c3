//! Tables on a terminal.

use comfy_table::{Cell, CellAlignment, ColumnConstraint, LineStyle, Table, TableStyle, Width};

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

/// Makes a column at least `width` characters wide, so that its numbers do not move the others.
pub(crate) fn widen(table: &mut Table, column: usize, width: u16) {
    let column = table.column_mut(column).expect("a column of the header");
    // The padding, a space on each side, counts as width.
    column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width + 2)));
}
