//! `margins`: when the fleet grows and shrinks, and how it is changed until the configuration is read again.

use clap::Args;
use serde::Serialize;

use super::screen::{NOTABLE, Paint};
use super::table::{Cell, Side, Table};
use super::told::{Limits, Margins};

/// Other margins and limits, those that are given.
#[derive(Args, Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Change {
    /// With fewer free and pending places than this the fleet is to grow.
    #[arg(long = "upscale", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    upscale_margin: Option<u32>,
    /// With more free places than this it is to shrink.
    #[arg(long = "downscale", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    downscale_margin: Option<u32>,
    /// So many servers there are to be at least.
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    min_servers: Option<u32>,
    /// So many at most.
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_servers: Option<u32>,
}

impl Change {
    /// Nothing is to be changed.
    pub(super) const fn is_none(&self) -> bool {
        matches!(self, Self { upscale_margin: None, downscale_margin: None, min_servers: None, max_servers: None })
    }

    /// As the manager reads it.
    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What holds; and what the configuration has, if that is not the same.
pub(super) fn table(margins: &Margins, first_column: usize) -> Table {
    let heads = ["upscale", "downscale", "min servers", "max servers", "server capacity"];
    let heads: Vec<_> = [("MARGINS", Side::Left)].into_iter().chain(heads.map(|head| (head, Side::Right))).collect();
    let mut table = Table::new(&heads).first_column(first_column);
    let cells = |limits: Limits| {
        let Limits { upscale_margin, downscale_margin, min_servers, max_servers } = limits;
        [upscale_margin, downscale_margin, min_servers, max_servers].map(Cell::from)
    };
    let capacity = Cell::from(margins.server_capacity);
    if margins.changed {
        table.row([Cell::new("now", NOTABLE)].into_iter().chain(cells(margins.now)).chain([capacity]));
        table.row([Cell::from("configured")].into_iter().chain(cells(margins.configured)));
    } else {
        table.row([Cell::from("")].into_iter().chain(cells(margins.now)).chain([capacity]));
    }
    table
}

/// The same, alone.
pub(super) fn render(margins: &Margins, paint: Paint) -> String {
    table(margins, 0).render(paint)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIGURED: Limits = Limits { upscale_margin: 4, downscale_margin: 14, min_servers: 1, max_servers: 10 };

    #[test]
    fn changed_margins_are_told_beside_those_of_the_configuration() {
        let now = Limits { upscale_margin: 8, max_servers: 12, ..CONFIGURED };
        let margins = Margins { now, server_capacity: 6, changed: true, configured: CONFIGURED };
        let expected = "\
MARGINS     upscale  downscale  min servers  max servers  server capacity
now               8         14            1           12                6
configured        4         14            1           10
";
        assert_eq!(render(&margins, Paint::NONE), expected);
    }

    #[test]
    fn only_what_is_given_is_changed() {
        let none = Change { upscale_margin: None, downscale_margin: None, min_servers: None, max_servers: None };
        assert!(none.is_none());
        let change = Change { min_servers: Some(0), ..none };
        assert_eq!((change.is_none(), change.json().as_str()), (false, "{\"min_servers\":0}"));
    }
}
