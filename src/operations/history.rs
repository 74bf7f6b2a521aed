//! How the fleet was over the last hours: what a picture of it is drawn from.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actors::model::{Phase, Snapshot};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::moment;

/// From one sample to the next.
pub(super) const INTERVAL: Duration = Duration::from_secs(10);

/// Six hours of them.
const KEPT: usize = 2160;

/// The fleet at one time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
struct Sample {
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Free places.
    free: u32,
    /// Places of servers on their way.
    pending: u32,
    /// Places that are held for players on their way.
    held: u32,
    /// Players.
    players: u32,
    /// Servers in all.
    servers: u32,
    /// Servers that take players.
    available: u32,
    /// With fewer free and pending places than this the fleet grew.
    upscale_margin: u32,
    /// With more free places than this it shrank.
    downscale_margin: u32,
}

/// The last hours.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub(super) struct Hours {
    /// From one sample to the next.
    interval_seconds: u64,
    /// Oldest first.
    samples: Vec<Sample>,
}

/// Keeps samples.
#[derive(Clone, Debug, Default)]
pub(super) struct History(Arc<Mutex<VecDeque<Sample>>>);

impl History {
    /// Takes one.
    pub(super) fn take(&self, snapshot: &Snapshot) {
        let figures = &snapshot.figures;
        let available = snapshot.servers.iter().filter(|server| server.phase == Phase::Available).count();
        let sample = Sample {
            at: moment(snapshot.now),
            free: figures.free,
            pending: figures.pending,
            held: snapshot.held,
            players: snapshot.players(),
            // On which the players are: those asked for are none yet.
            servers: u32::try_from(snapshot.servers.len()).unwrap_or(u32::MAX),
            available: u32::try_from(available).unwrap_or(u32::MAX),
            upscale_margin: snapshot.margins.upscale,
            downscale_margin: snapshot.margins.downscale,
        };
        // Each change is whole.
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.len() == KEPT {
            samples.pop_front();
        }
        samples.push_back(sample);
    }

    /// Those there are.
    pub(super) fn hours(&self) -> Hours {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Hours { interval_seconds: INTERVAL.as_secs(), samples: samples.iter().cloned().collect() }
    }
}

#[cfg(test)]
mod tests {
    use actors::model::{Action, Policy, Roster, Timestamp};

    use super::*;

    #[test]
    fn servers_asked_for_are_none_yet() {
        let (mut roster, now) = (Roster::new(Policy::default()), Timestamp::from_secs(1_700_000_000));
        roster.commit(Action::Launch(2), now).expect("a launch");
        let history = History::default();
        history.take(&roster.snapshot(0, now));
        let [sample] = &history.hours().samples[..] else { panic!("one sample") };
        assert_eq!((sample.servers, sample.pending), (0, 20));
    }
}
