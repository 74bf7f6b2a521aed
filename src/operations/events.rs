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
use tokio::time::{Instant, interval_at};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use warp::sse::Event;

use super::entries::Entry;
use super::shown::{Daemon, Fleet, Server};
use crate::http;

/// From one look at the fleet to the next.
const PACE: Duration = Duration::from_millis(500);

/// Entries that are told again, at most, to who was away for a while.
const REPLAYED: usize = 1000;

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
    journal: Receiver<Arc<Written>>,
    /// The last entry that was told.
    last: u64,
    servers: Option<BTreeMap<String, Server>>,
    /// To be told next.
    due: VecDeque<Event>,
    ticks: tokio::time::Interval,
    shutdown: CancellationToken,
}

/// The events from now on, after those entries of the journal that came after `last`.
pub(super) fn events(
    fleet: http::Fleet,
    daemon: Arc<Daemon>,
    journal: Receiver<Arc<Written>>,
    last: Option<u64>,
    shutdown: CancellationToken,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let ticks = interval_at(Instant::now(), PACE);
    let told = Told { fleet, daemon, journal, last: 0, servers: None, due: VecDeque::new(), ticks, shutdown };
    stream::unfold((told, last), async |(mut told, away_since)| {
        if let Some(last) = away_since {
            told.replay(last).await;
        }
        let event = told.next().await?;
        Some((Ok(event), (told, None)))
    })
}

impl Told {
    /// None once the manager ends.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.due.pop_front() {
                return Some(event);
            }
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return None,
                entry = self.journal.recv() => match entry {
                    Ok(entry) => self.tell(&entry),
                    // What was missed is still in the journal.
                    Err(RecvError::Lagged(_)) => self.replay(self.last).await,
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

    /// Tells what came after an entry. A number that was never given is of an earlier manager: then it is all there is.
    async fn replay(&mut self, last: u64) {
        let read = |after| {
            let query = Query { after, limit: REPLAYED, ..Query::default() };
            self.fleet.ask(|reply_to| FleetMsg::Journal(query, reply_to))
        };
        let mut page = read(last).await.unwrap_or_default();
        if page.newest < last {
            page = read(0).await.unwrap_or_default();
            self.last = 0;
        }
        page.entries.iter().for_each(|entry| self.tell(entry));
    }

    /// None when the fleet is gone.
    async fn look(&mut self) -> Option<()> {
        let snapshot = self.fleet.ask(FleetMsg::Snapshot).await.ok()?;
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
