//! A page with plots: what was wanted, what there was, which hour cost what, and what a margin costs.

use std::error::Error;
use std::fmt::Write;
use std::ops::Range;

use actors::model::AllocationRule;
use plotters::backend::SVGBackend;
use plotters::chart::{ChartBuilder, SeriesLabelPosition};
use plotters::drawing::IntoDrawingArea;
use plotters::element::{Circle, PathElement, Rectangle};
use plotters::series::LineSeries;
use plotters::style::{BLACK, Color, RGBColor, WHITE};

use super::outcome::{Told, named};
use super::sweep::{Swept, Trial};

/// The colours of lines, told apart by colour-blind people, too: Okabe and Ito, "Color Universal Design", 2008, and grey.
pub const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(90, 90, 90),
];

const SIZE: (u32, u32) = (1000, 380);

/// Days that are shown in the first plot, at most: more would be a blot.
const DAYS: u32 = 14;

type Drawn = Result<String, Box<dyn Error>>;

struct Lines<'a> {
    title: &'a str,
    x: &'a str,
    y: &'a str,
    lines: Vec<(&'a str, Vec<(f64, f64)>)>,
    /// One that is marked.
    mark: Option<(f64, f64)>,
}

/// The whole page, which needs nothing beside itself.
pub(super) fn page(told: &Told<'_>) -> Drawn {
    let mut figures = vec![over_time(told)?, by_hour(told)?];
    if let Some(swept) = told.swept {
        figures.push(by_margin(swept)?);
    }
    let figures = figures.iter().fold(String::new(), |mut all, figure| {
        let _ = write!(all, "<figure>{figure}</figure>");
        all
    });
    let text = told.to_string().replace('&', "&amp;").replace('<', "&lt;");
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Plan of a fleet</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>body{{font-family:sans-serif;max-width:64rem;margin:2rem \
         auto;padding:0 1rem}}figure{{margin:1rem 0}}svg{{width:100%;height:auto}}pre{{overflow-x:auto}}</style></head>\
         <body><h1>Plan of a fleet</h1><pre>{text}</pre>{figures}</body></html>\n"
    ))
}

fn over_time(told: &Told<'_>) -> Drawn {
    let Some(outcome) = told.outcomes.first() else { return Ok(String::new()) };
    let shown = outcome.moments.iter().take_while(|moment| moment.second <= DAYS * 86_400);
    let line = |of: fn(&actors::planning::Moment) -> u32, times: u32| {
        shown
            .clone()
            .map(|moment| (f64::from(moment.second) / 86_400.0, f64::from(of(moment)) * f64::from(times)))
            .collect()
    };
    let capacity = told.policy.server_capacity;
    let from = told.at(0);
    let title = format!("Places and players from {from} on (first {DAYS} days at most)");
    draw(&Lines {
        title: &title,
        x: "days",
        y: "places",
        lines: vec![
            ("players who want to play", line(|moment| moment.wanted, 1)),
            ("places of all servers", line(|moment| moment.servers, capacity)),
            ("of them on standby", line(|moment| moment.standby, capacity)),
            ("free", line(|moment| moment.free, 1)),
            ("upscale margin", line(|moment| moment.upscale_margin, 1)),
        ],
        mark: None,
    })
}

fn by_margin(swept: &Swept) -> Drawn {
    let best = swept.best();
    // What turns away far too many, or costs far too much, would make a point of all others.
    let share = (swept.share * 20.0).max(0.001);
    let dearest = best.map_or(f64::MAX, |best| best.ratio() * 1.5);
    let is_shown = |trial: &&Trial| trial.missed() <= share && trial.ratio() <= dearest;
    let point = |trial: &Trial| (100.0 * trial.missed(), trial.ratio());
    let line = |allocation, policy: &str| -> Vec<(f64, f64)> {
        let is = |trial: &&Trial| trial.policy.allocation == allocation && trial.policy.margin_policy.name() == policy;
        swept.trials.iter().filter(is).filter(is_shown).map(point).collect()
    };
    let missed = swept.missed_are;
    let marked = best.map_or_else(String::new, |best| format!("; marked: {}", named(&best.policy)));
    draw(&Lines {
        title: &format!("Cost against players {missed}{marked}"),
        x: &format!("players {missed}, %"),
        y: "cost, against the optimum",
        lines: vec![
            ("margins, packed", line(AllocationRule::Packed, "margins")),
            ("margins, distributed", line(AllocationRule::Distributed, "margins")),
            ("lead-time, packed", line(AllocationRule::Packed, "lead-time")),
            ("lead-time, distributed", line(AllocationRule::Distributed, "lead-time")),
            ("buffer, packed", line(AllocationRule::Packed, "buffer")),
            ("buffer, distributed", line(AllocationRule::Distributed, "buffer")),
        ],
        mark: best.map(point),
    })
}

/// What servers cost in each hour of the day, on average.
fn by_hour(told: &Told<'_>) -> Drawn {
    let mut hours = [(0_u64, 0_u32); 24];
    for moment in told.outcomes.iter().flat_map(|outcome| &outcome.moments) {
        let (seconds, count) = &mut hours[told.hour_of_day(moment)];
        *seconds += moment.server_seconds;
        *count += 1;
    }
    let (unit, price) = told.args.price.map_or(("server-hours", 1.0), |price| ("cost", price));
    let cost = hours.map(|(seconds, count)| seconds as f64 / 3600.0 / f64::from(count.max(1)) * price);
    let most = cost.iter().copied().fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption("Which hour of the day costs what, on average", ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(42)
            .y_label_area_size(72)
            .build_cartesian_2d(0.0..24.0, 0.0..most * 1.1)?;
        chart.configure_mesh().disable_x_mesh().x_labels(24).x_desc("hour of the day (UTC)").y_desc(unit).draw()?;
        chart.draw_series(cost.iter().enumerate().map(|(hour, cost)| {
            let from = hour as f64;
            Rectangle::new([(from + 0.1, 0.0), (from + 0.9, *cost)], COLOURS[0].filled())
        }))?;
        area.present()?;
    }
    Ok(svg)
}

fn draw(lines: &Lines<'_>) -> Drawn {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let points = || lines.lines.iter().flat_map(|(_, points)| points);
        let mut chart = ChartBuilder::on(&area)
            .caption(lines.title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(42)
            .y_label_area_size(72)
            .build_cartesian_2d(span(points().map(|point| point.0)), span(points().map(|point| point.1)))?;
        chart.configure_mesh().x_desc(lines.x).y_desc(lines.y).draw()?;
        for ((label, points), colour) in lines.lines.iter().zip(COLOURS).filter(|((_, points), _)| !points.is_empty()) {
            let line = chart.draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?;
            line.label(*label).legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        }
        chart.draw_series(lines.mark.iter().map(|mark| Circle::new(*mark, 7, BLACK.stroke_width(2))))?;
        let mut labels = chart.configure_series_labels();
        labels.position(SeriesLabelPosition::UpperRight).background_style(WHITE.mix(0.8)).border_style(BLACK).draw()?;
        area.present()?;
    }
    Ok(svg)
}

fn span(numbers: impl Iterator<Item = f64>) -> Range<f64> {
    let (least, most) = numbers.fold((f64::MAX, f64::MIN), |(least, most), it| (least.min(it), most.max(it)));
    if least > most { 0.0..1.0 } else { least..most + ((most - least) * 0.25).max(1e-9) }
}
