//! What a scrape sees.

mod allocations;
mod calls;
mod deployed;
mod fleet;
mod journal;
mod text;

use actors::model::Timestamp;

use super::Metrics;

fn metrics() -> Metrics {
    Metrics::new(Timestamp::from_secs(1_700_000_000)).expect("metrics that do not contradict each other")
}

impl Metrics {
    /// The value of a sample as it is rendered, by its name without the prefix and its labels in alphabetical order.
    fn sample(&self, series: &str) -> f64 {
        self.find(series).unwrap_or_else(|| panic!("no {series} in:\n{}", self.render()))
    }

    fn find(&self, series: &str) -> Option<f64> {
        let text = self.render();
        let rest = |line: &str| line.strip_prefix("playlivechess_manager_")?.strip_prefix(series).map(str::to_owned);
        let value = text.lines().find_map(|line| rest(line)?.strip_prefix(' ').map(str::to_owned))?;
        value.parse().ok()
    }

    /// How many samples there are whose names and labels begin like this.
    fn count(&self, begin: &str) -> usize {
        let begin = format!("playlivechess_manager_{begin}");
        self.render().lines().filter(|line| line.starts_with(&begin)).count()
    }
}
