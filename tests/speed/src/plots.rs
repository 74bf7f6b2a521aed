//! Pictures of what was measured, for PERFORMANCE.md.

use std::ops::Range;
use std::path::Path;

use playlivechess_manager::plan::COLOURS;
use plotters::backend::SVGBackend;
use plotters::chart::{ChartBuilder, SeriesLabelPosition};
use plotters::coord::combinators::IntoLogRange;
use plotters::drawing::IntoDrawingArea;
use plotters::element::PathElement;
use plotters::series::LineSeries;
use plotters::style::{BLACK, Color, WHITE};

use crate::Result;

/// Some things that go by the same number.
pub(crate) struct Plot<'a> {
    pub(crate) title: &'a str,
    /// What the number is.
    pub(crate) by: &'a str,
    /// What is shown, with its unit.
    pub(crate) shown: &'a str,
    pub(crate) lines: Vec<(&'a str, Vec<(f64, f64)>)>,
}

impl Plot<'_> {
    /// Draws it, with both axes in powers of ten.
    pub(crate) fn draw(&self, dir: &Path, name: &str) -> Result<()> {
        let path = dir.join(name);
        let area = SVGBackend::new(&path, (720, 420)).into_drawing_area();
        area.fill(&WHITE)?;
        let points = || self.lines.iter().flat_map(|(_, points)| points);
        let (xs, ys) = (span(points().map(|point| point.0)), span(points().map(|point| point.1)));
        let mut chart = ChartBuilder::on(&area)
            .caption(self.title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(42)
            .y_label_area_size(64)
            .build_cartesian_2d(xs.log_scale(), ys.log_scale())?;
        let number = |number: &f64| number.to_string();
        let mut mesh = chart.configure_mesh();
        mesh.x_desc(self.by).y_desc(self.shown).x_label_formatter(&number).y_label_formatter(&number).draw()?;
        for ((label, points), colour) in self.lines.iter().zip(COLOURS.into_iter().cycle()) {
            let line = chart.draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?;
            line.label(*label).legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        }
        let mut labels = chart.configure_series_labels();
        labels.position(SeriesLabelPosition::UpperLeft).background_style(WHITE.mix(0.8)).border_style(BLACK).draw()?;
        area.present()?;
        Ok(())
    }
}

/// From the least to the most, with room above for the legend.
fn span(numbers: impl Iterator<Item = f64>) -> Range<f64> {
    let (least, most) =
        numbers.fold((f64::MAX, f64::MIN), |(least, most), number| (least.min(number), most.max(number)));
    least / 1.5..most * 4.0
}
