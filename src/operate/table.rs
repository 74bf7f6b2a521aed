//! Tables of text.

use clap::builder::styling::Style;

use super::screen::{HEAD, PLAIN, Paint, plain};

/// Between two columns.
const GAP: &str = "  ";

/// What stands in a cell.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// In a style of its own.
    pub(super) fn new(text: impl AsRef<str>, style: Style) -> Self {
        Self { text: plain(text.as_ref()), style }
    }

    /// A number that is known, or not.
    pub(super) fn known(number: Option<u32>) -> Self {
        number.map_or_else(|| Self::from("-"), Self::from)
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(text, PLAIN)
    }
}

impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Self::new(number.to_string(), PLAIN)
    }
}

/// On which side of its column a cell stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table under construction.
#[derive(Clone, Debug)]
pub(super) struct Table {
    sides: Vec<Side>,
    /// The first one has the heads.
    rows: Vec<Vec<Cell>>,
    /// The first column is at least so wide.
    first: usize,
}

impl Table {
    /// With those heads.
    pub(super) fn new(columns: &[(&str, Side)]) -> Self {
        let heads = columns.iter().map(|(head, _)| Cell::new(head, HEAD)).collect();
        Self { sides: columns.iter().map(|(_, side)| *side).collect(), rows: vec![heads], first: 0 }
    }

    /// With a first column that is as wide as that of other tables.
    pub(super) fn first_column(self, first: usize) -> Self {
        Self { first, ..self }
    }

    /// Adds a row, of as many cells as there are columns.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// A line a row, without blanks at its end.
    pub(super) fn render(&self, paint: Paint) -> String {
        let widths: Vec<usize> = (0..self.sides.len())
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column)).map(Cell::width);
                cells.chain((column == 0).then_some(self.first)).max().unwrap_or_default()
            })
            .collect();
        self.rows.iter().map(|row| self.line(row, &widths, paint) + "\n").collect()
    }

    fn line(&self, row: &[Cell], widths: &[usize], paint: Paint) -> String {
        let mut line = String::new();
        // Blanks are written only before something.
        let mut blanks = 0;
        for ((cell, side), width) in row.iter().zip(&self.sides).zip(widths) {
            let pad = width.saturating_sub(cell.width());
            let (before, after) = if *side == Side::Left { (0, pad) } else { (pad, 0) };
            if cell.text.is_empty() {
                blanks += width;
            } else {
                line.push_str(&" ".repeat(blanks + before));
                line.push_str(&paint.paint(cell.style, &cell.text));
                blanks = after;
            }
            blanks += GAP.len();
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::super::screen::BAD;
    use super::*;

    fn servers() -> Table {
        let mut table = Table::new(&[("SERVER", Side::Left), ("FREE", Side::Right), ("NOTES", Side::Left)]);
        table.row([Cell::from("server-1"), Cell::from(12), Cell::from("")]);
        table.row([Cell::from("server-12"), Cell::known(None), Cell::new("leaving", BAD)]);
        table
    }

    #[test]
    fn words_stand_left_and_numbers_right() {
        let expected = "\
SERVER     FREE  NOTES
server-1     12
server-12     -  leaving
";
        assert_eq!(servers().render(Paint::NONE), expected);
    }

    #[test]
    fn colours_move_nothing() {
        let painted = servers().render(Paint::ALL);
        assert!(painted.contains("server-12     -  \x1b[31mleaving\x1b[0m\n"), "{painted:?}");
        let bare = painted.replace("\x1b[1m", "").replace("\x1b[31m", "").replace("\x1b[0m", "");
        assert_eq!(bare, servers().render(Paint::NONE));
    }

    #[test]
    fn an_empty_cell_keeps_its_place() {
        let mut table = Table::new(&[("", Side::Left), ("A", Side::Right), ("B", Side::Right)]).first_column(4);
        table.row([Cell::from("now"), Cell::from(""), Cell::from(1000)]);
        assert_eq!(table.render(Paint::NONE), "      A     B\nnow      1000\n");
    }
}
