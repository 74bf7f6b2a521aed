//! All that changes, as server-sent events: the fleet, its servers, and the journal as it is written.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use actors::fleet_supervisor::FleetMsg;
use actors::journal::{Entry as Written, Query};
use actors::model::Snapshot;
use futures_util::{Stream, stream};
use serde::Serialize;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use warp::sse::Event;

use super::Operations;
use super::entries::Entry;
use super::gate::Gate;
use super::shown::{Daemon, Fleet, Server};
use crate::http::{self, Unanswered};

/// From one look at the fleet to the next.
const PACE: Duration = Duration::from_millis(500);

/// Entries that are read at once, at most, for who was away for a while.
const AT_ONCE: usize = 1000;

/// What has changed of the servers.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(super) struct ServersChanged {
    /// These are all there are.
    all: bool,
    /// New ones, and what is known of others by now.
    changed: Vec<Server>,
    /// Those that are no more.
    gone: Vec<String>,
}

/// What a stream knows of what its reader was told.
struct Told {
    fleet: http::Fleet,
    daemon: Arc<Daemon>,
    gate: Gate,
    journal: Receiver<Arc<Written>>,
    /// The last entry that was told.
    last: u64,
    /// There are entries after it that will not be heard of: they are read.
    is_behind: bool,
    servers: Option<BTreeMap<String, Server>>,
    /// To be told next.
    due: VecDeque<Event>,
    ticks: Interval,
    shutdown: CancellationToken,
}

/// The events from now on, after those entries of the journal that came after `last`.
pub(super) fn events(
    operations: &Operations,
    last: Option<u64>,
) -> impl Stream<Item = Result<Event, Infallible>> + use<> {
    let Operations { fleet, daemon, gate, journal, shutdown, .. } = operations.clone();
    let mut ticks = interval(PACE);
    // A reader that was slow is not told each look that it missed.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let told = Told {
        fleet,
        daemon,
        gate: gate.up_to_date(),
        journal: journal.subscribe(),
        last: last.unwrap_or_default(),
        is_behind: last.is_some(),
        servers: None,
        due: VecDeque::new(),
        ticks,
        shutdown,
    };
    stream::unfold(told, async |mut told| {
        let event = told.next().await?;
        Some((Ok(event), told))
    })
}

impl Told {
    /// None once the manager ends, or asks for another token.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.due.pop_front() {
                return Some(event);
            }
            if self.is_behind {
                self.catch_up().await?;
                continue;
            }
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return None,
                () = self.gate.changed() => return None,
                entry = self.journal.recv() => match entry {
                    Ok(entry) => self.tell(&entry),
                    // What was missed is still in the journal.
                    Err(RecvError::Lagged(_)) => self.is_behind = true,
                    Err(RecvError::Closed) => return None,
                },
                _ = self.ticks.tick() => self.look().await?,
            }
        }
    }

    fn tell(&mut self, entry: &Written) {
        if entry.number > self.last {
            self.last = entry.number;
            let event = Event::default().event("entry").id(entry.number.to_string());
            self.due.extend(event.json_data(Entry::new(entry)));
        }
    }

    /// Tells some of what came after the last entry that was told. None when the fleet is gone.
    async fn catch_up(&mut self) -> Option<()> {
        let query = Query { after: Some(self.last), limit: AT_ONCE, ..Query::default() };
        let page = match self.fleet.ask(|reply_to| FleetMsg::Journal(query, reply_to)).await {
            Ok(page) => page,
            Err(Unanswered::Late) => {
                self.ticks.tick().await;
                return Some(());
            }
            Err(Unanswered::Gone) => return None,
        };
        if page.newest < self.last {
            // A number that was never given is of an earlier manager: all there is came after it.
            self.last = 0;
            return Some(());
        }
        page.entries.iter().for_each(|entry| self.tell(entry));
        self.is_behind = self.last < page.newest;
        Some(())
    }

    /// None when the fleet is gone.
    async fn look(&mut self) -> Option<()> {
        let snapshot = match self.fleet.ask(FleetMsg::Snapshot).await {
            Ok(snapshot) => snapshot,
            // The next look may do better.
            Err(Unanswered::Late) => return Some(()),
            Err(Unanswered::Gone) => return None,
        };
        self.due.extend(Event::default().event("fleet").json_data(Fleet::new(&self.daemon, &snapshot)));
        let changed = self.changed(&snapshot);
        if changed.all || !changed.changed.is_empty() || !changed.gone.is_empty() {
            self.due.extend(Event::default().event("servers").json_data(changed));
        }
        Some(())
    }

    fn changed(&mut self, snapshot: &Snapshot) -> ServersChanged {
        let now: BTreeMap<String, Server> =
            Server::all(snapshot).into_iter().map(|server| (server.id.clone(), server)).collect();
        let before = self.servers.take();
        let known = before.as_ref();
        let is_news = |server: &&Server| known.and_then(|known| known.get(&server.id)) != Some(*server);
        let is_gone = |id: &&String| !now.contains_key(*id);
        let changed = ServersChanged {
            all: known.is_none(),
            changed: now.values().filter(is_news).cloned().collect(),
            gone: known.into_iter().flat_map(BTreeMap::keys).filter(is_gone).cloned().collect(),
        };
        self.servers = Some(now);
        changed
    }
}
