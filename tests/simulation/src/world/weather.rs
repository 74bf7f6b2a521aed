//! Which faults there are at the moment.

use std::time::Duration;

use super::World;
use crate::event::Event;
use crate::faults::FaultKind;

/// The faults of the moment, by their number in the scenario.
#[derive(Debug, Default)]
pub struct Weather {
    faults: Vec<(usize, FaultKind)>,
}

impl Weather {
    /// Whether such a fault is there.
    pub fn has(&self, is_it: impl Fn(&FaultKind) -> bool) -> bool {
        self.faults.iter().any(|(_, kind)| is_it(kind))
    }

    /// Whether this fault of the scenario is there.
    pub fn has_number(&self, number: usize) -> bool {
        self.faults.iter().any(|(known, _)| *known == number)
    }

    /// The worst share of the faults that are meant; zero where there is none.
    pub fn share(&self, of: impl Fn(&FaultKind) -> Option<f64>) -> f64 {
        self.faults.iter().filter_map(|(_, kind)| of(kind)).fold(0.0, f64::max)
    }

    /// How long what is written may take to be shown.
    pub fn read_lag(&self) -> Duration {
        let lag = |kind: &FaultKind| if let FaultKind::ReadLag(lag) = kind { Some(*lag) } else { None };
        self.faults.iter().filter_map(|(_, kind)| lag(kind)).max().unwrap_or(Duration::from_millis(800))
    }
}

/// The share of a fault of one kind: `share_of!(world, Hangs)`.
macro_rules! share_of {
    ($world:expr, $kind:ident) => {
        $world
            .weather
            .share(|kind| if let $crate::faults::FaultKind::$kind(share) = kind { Some(*share) } else { None })
    };
}
pub(super) use share_of;

impl World {
    pub(super) fn fault_begins(&mut self, number: usize) {
        let fault = self.scenario.faults[number].clone();
        let kind = fault.kind;
        self.tell(Event::FaultBegan(fault));
        self.weather.faults.push((number, kind));
        match kind {
            FaultKind::AgentsDisconnected(share) => self.disconnect_agents(share),
            FaultKind::Hangs(_) | FaultKind::SlowAnswers(_) | FaultKind::Garbage(_) | FaultKind::CutOff(_) => {
                self.spoil_games();
            }
            FaultKind::Crawler(rate) => self.crawler_asks(number, rate),
            _ => {}
        }
    }

    pub(super) fn fault_ends(&mut self, number: usize) {
        let fault = self.scenario.faults[number].clone();
        self.weather.faults.retain(|(known, _)| *known != number);
        self.tell(Event::FaultEnded(fault));
        if share_of!(self, AgentsDisconnected) == 0.0 {
            self.reconnect_agents();
        }
        self.mend_games();
    }
}
