//! What operators ask, and what they have done.

use std::time::Duration;

use actors::fleet_supervisor::{FleetMsg, Limits};
use actors::journal::{Query, Source};
use actors::model::{PolicyError, Refused, ServerId, Snapshot};
use ractor::RpcReplyPort;
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};
use warp::http::{HeaderMap, Response, StatusCode};
use warp::hyper::body::Bytes;

use super::Operations;
use super::entries::{Entries, Entry};
use super::events;
use super::history::Hours;
use super::shown::{Fleet, Launches, LeadTimes, Margins, MarginsChange, Server, Servers};
use crate::api::{self, Kind, Problem};
use crate::http::Unanswered;

/// Entries of the journal that are given at once, if it is not said how many.
const PAGE: usize = 100;

/// The most that can be asked for at once.
const MOST: usize = 1000;

/// A comment goes down a stream so often, so that whoever is in between keeps it open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// By which a reader that was away says what it has read.
const LAST_EVENT_ID: &str = "last-event-id";

/// Why any request may fail.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "for the document alone")]
pub(super) enum Failed {
    /// The request cannot be read
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(Problem),
    /// The token is needed
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(Problem),
    /// Not from there
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// There is no such thing
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// The manager cannot answer now
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// A server, and all that is written about it.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(super) struct ServerWithHistory {
    #[serde(flatten)]
    server: Server,
    /// Oldest first, as far as it is in memory.
    history: Vec<Entry>,
}

type Answer = Result<Response<Bytes>, Problem>;

/// The fleet
#[utoipa::path(get, path = "/v1/fleet", tag = "see",
    responses((status = 200, description = "As it stands", body = Fleet), Failed))]
pub(super) async fn fleet(operations: &Operations) -> Answer {
    Ok(shown(&Fleet::new(&operations.daemon, &snapshot(operations).await?)))
}

/// All servers
#[utoipa::path(get, path = "/v1/servers", tag = "see",
    responses((status = 200, description = "Oldest first", body = Servers), Failed))]
pub(super) async fn servers(operations: &Operations) -> Answer {
    Ok(shown(&Servers::new(&snapshot(operations).await?)))
}

/// A server, and its history
#[utoipa::path(get, path = "/v1/servers/{id}", tag = "see",
    params(("id" = String, Path, description = "Its name", example = "server-3",
        pattern = "^server-(0|[1-9][0-9]{0,18})$")),
    responses((status = 200, description = "As it stands", body = ServerWithHistory), Failed))]
pub(super) async fn server(operations: &Operations, id: &str) -> Answer {
    let number = named(id)?;
    let snapshot = snapshot(operations).await?;
    let server = server_in(&snapshot, number).ok_or_else(|| unknown(id))?;
    let query = Query { server: Some(number), limit: MOST, ..Query::default() };
    let page = operations.fleet.ask(|reply_to| FleetMsg::Journal(query, reply_to)).await.map_err(unavailable)?;
    Ok(shown(&ServerWithHistory { server, history: Entry::all(&page.entries) }))
}

/// The launches under way, and when they should serve
#[utoipa::path(get, path = "/v1/launches", tag = "see",
    responses((status = 200, description = "Oldest first", body = Launches), Failed))]
pub(super) async fn launches(operations: &Operations) -> Answer {
    Ok(shown(&Launches::new(&snapshot(operations).await?)))
}

/// How long the last launches took
#[utoipa::path(get, path = "/v1/lead-times", tag = "see",
    responses((status = 200, description = "Of the last two hundred", body = LeadTimes), Failed))]
pub(super) async fn lead_times(operations: &Operations) -> Answer {
    Ok(shown(&LeadTimes::new(&snapshot(operations).await?)))
}

/// The decision journal
///
/// Without `after` the last entries; with it those that come next.
#[utoipa::path(get, path = "/v1/decisions", tag = "see",
    params(
        ("after" = Option<u64>, Query, description = "Only those after this number"),
        ("limit" = Option<u32>, Query, description = "So many at most; 100 if it is left out", minimum = 1, maximum = 1000),
        ("kind" = Option<String>, Query, description = "Only those of this kind", example = "decision",
            pattern = "^(decision|order|event|operator)$"),
        ("server" = Option<String>, Query, description = "Only those about this server", example = "server-3",
            pattern = "^server-(0|[1-9][0-9]{0,18})$"),
        ("instance" = Option<String>, Query, description = "Only those about this instance"),
    ),
    responses((status = 200, description = "Oldest first", body = Entries), Failed))]
pub(super) async fn decisions(operations: &Operations, query: &str) -> Answer {
    let query = journal_query(query)?;
    let page = operations.fleet.ask(|reply_to| FleetMsg::Journal(query, reply_to)).await.map_err(unavailable)?;
    Ok(shown(&Entries::from(page)))
}

/// The last six hours
#[utoipa::path(get, path = "/v1/history", tag = "see",
    responses((status = 200, description = "A sample every ten seconds, oldest first", body = Hours), Failed))]
pub(super) fn history(operations: &Operations) -> Response<Bytes> {
    shown(&operations.history.hours())
}

/// All that changes, as server-sent events
///
/// `fleet` has what `/v1/fleet` has; `servers` what is known of servers by now, the first one all of them; `entry` an entry
/// of the journal, with its number as the id. Who comes back with `Last-Event-ID` is told all entries after it that are in
/// memory. It ends when the manager does, and when another token is asked for.
#[utoipa::path(get, path = "/v1/events", tag = "see",
    params(("Last-Event-ID" = Option<u64>, Header, description = "The last entry that was read")),
    responses((status = 200, description = "A stream without an end", body = String, content_type = "text/event-stream"),
        Failed))]
pub(super) fn events(operations: &Operations, headers: &HeaderMap) -> Result<impl warp::Reply + use<>, Problem> {
    let last = headers.get(LAST_EVENT_ID).map(|id| {
        let number = id.to_str().ok().and_then(entry_number);
        number.ok_or_else(|| Problem::new(Kind::Malformed, "Last-Event-ID is the number of an entry of the journal"))
    });
    let events = events::events(operations, last.transpose()?);
    Ok(warp::sse::reply(warp::sse::keep_alive().interval(KEEP_ALIVE).stream(events)))
}

/// Empties a server
///
/// It keeps the players it has, takes no more, and closes when nobody can lose a game by it; one is launched in its place
/// if places lack. Of an available server, or one on standby, which then stays so.
#[utoipa::path(post, path = "/v1/servers/{id}/drain", tag = "do",
    params(("id" = String, Path, description = "Its name", example = "server-3",
        pattern = "^server-(0|[1-9][0-9]{0,18})$")),
    responses((status = 200, description = "As it stands now", body = Server),
        (status = 409, description = "It is in no phase for it", body = Problem, content_type = "application/problem+json"),
        Failed))]
pub(super) async fn drain(operations: &Operations, id: &str) -> Answer {
    by_hand(operations, id, FleetMsg::Drain).await
}

/// Has a server on standby take players again
#[utoipa::path(post, path = "/v1/servers/{id}/undrain", tag = "do",
    params(("id" = String, Path, description = "Its name", example = "server-3",
        pattern = "^server-(0|[1-9][0-9]{0,18})$")),
    responses((status = 200, description = "As it stands now", body = Server),
        (status = 409, description = "It is in no phase for it", body = Problem, content_type = "application/problem+json"),
        Failed))]
pub(super) async fn undrain(operations: &Operations, id: &str) -> Answer {
    by_hand(operations, id, FleetMsg::Undrain).await
}

/// Looks at the cloud now
#[utoipa::path(post, path = "/v1/reconcile", tag = "do",
    responses((status = 202, description = "A look begins"), Failed))]
pub(super) async fn reconcile(operations: &Operations) -> Answer {
    operations.fleet.tell(FleetMsg::Reconcile).map_err(unavailable)?;
    Ok(api::empty(StatusCode::ACCEPTED))
}

/// Has nothing decided any more
///
/// Nothing is launched, emptied or closed. What is under way goes on, and players are sent to what there is. A manager that
/// starts decides again.
#[utoipa::path(post, path = "/v1/pause", tag = "do",
    responses((status = 200, description = "The fleet", body = Fleet), Failed))]
pub(super) async fn pause(operations: &Operations) -> Answer {
    set_paused(operations, true).await
}

/// Decides again
#[utoipa::path(post, path = "/v1/resume", tag = "do",
    responses((status = 200, description = "The fleet", body = Fleet), Failed))]
pub(super) async fn resume(operations: &Operations) -> Answer {
    set_paused(operations, false).await
}

/// Changes margins and limits until the configuration is read again
#[utoipa::path(put, path = "/v1/margins", tag = "do",
    request_body(content = MarginsChange, content_type = "application/json"),
    responses((status = 200, description = "They hold", body = Margins),
        (status = 408, description = "The body did not come in time", body = Problem,
            content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is no JSON", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "They do not hold together", body = Problem,
            content_type = "application/problem+json"),
        Failed))]
pub(super) async fn set_margins(operations: &Operations, change: MarginsChange) -> Answer {
    if change == MarginsChange::default() {
        let detail = "name one at least of upscale_margin, downscale_margin, min_servers and max_servers";
        return Err(Problem::new(Kind::Unprocessable, detail));
    }
    change_margins(operations, change.try_into()?).await
}

/// Goes back to the margins and limits of the configuration
#[utoipa::path(delete, path = "/v1/margins", tag = "do",
    responses((status = 200, description = "They hold", body = Margins), Failed))]
pub(super) async fn reset_margins(operations: &Operations) -> Answer {
    change_margins(operations, Limits::default()).await
}

/// For who restarts what has died.
pub(super) async fn live(operations: &Operations) -> Answer {
    match operations.fleet.is_ready().await {
        Some(_) => Ok(shown(&serde_json::json!({ "status": "live" }))),
        None => Err(unavailable(Unanswered::Late)),
    }
}

/// For who sends requests.
pub(super) async fn ready(operations: &Operations) -> Answer {
    match operations.fleet.is_ready().await {
        Some(true) => Ok(shown(&serde_json::json!({ "status": "ready" }))),
        Some(false) => Err(Problem::new(Kind::Unavailable, "the first look at the cloud is not complete")),
        None => Err(unavailable(Unanswered::Late)),
    }
}

async fn snapshot(operations: &Operations) -> Result<Snapshot, Problem> {
    operations.fleet.ask(FleetMsg::Snapshot).await.map(|snapshot| *snapshot).map_err(unavailable)
}

/// All metrics
///
/// In the text format of Prometheus, version 0.0.4.
#[utoipa::path(get, path = "/metrics", tag = "see", responses(
    (status = 200, description = "The metrics", body = String, content_type = "text/plain"),
    (status = 401, description = "The token is needed", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not from there", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn metrics(operations: &Operations) -> Response<Bytes> {
    operations.scraped.scrape(&operations.fleet).await
}

async fn set_paused(operations: &Operations, paused: bool) -> Answer {
    let snapshot = operations.fleet.ask(|reply_to| FleetMsg::Pause(paused, reply_to)).await.map_err(unavailable)?;
    Ok(shown(&Fleet::new(&operations.daemon, &snapshot)))
}

async fn change_margins(operations: &Operations, change: Limits) -> Answer {
    let set = operations.fleet.ask(|reply_to| FleetMsg::SetMargins(change, reply_to)).await.map_err(unavailable)?;
    let snapshot = set.map_err(|refused: PolicyError| Problem::new(Kind::Unprocessable, refused.to_string()))?;
    Ok(shown(&Margins::new(&snapshot)))
}

/// The fleet as it is afterwards.
type ByHand = Result<Box<Snapshot>, Refused>;

async fn by_hand(operations: &Operations, id: &str, what: fn(ServerId, RpcReplyPort<ByHand>) -> FleetMsg) -> Answer {
    let number = named(id)?;
    let done = operations.fleet.ask(|reply_to| what(number, reply_to)).await.map_err(unavailable)?;
    let snapshot = done.map_err(|refused| match refused {
        Refused::Gone => unknown(id),
        refused => Problem::new(Kind::Conflict, refused.to_string()),
    })?;
    Ok(shown(&server_in(&snapshot, number).ok_or_else(|| unknown(id))?))
}

fn server_in(snapshot: &Snapshot, id: ServerId) -> Option<Server> {
    let found = snapshot.servers.iter().find(|server| server.id == id)?;
    Some(Server::new(found, snapshot.policy.server_capacity))
}

fn journal_query(query: &str) -> Result<Query, Problem> {
    let malformed = |detail: String| Problem::new(Kind::Malformed, detail);
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(query).map_err(|error| malformed(format!("in the query: {error}")))?;
    let mut meant = Query { limit: PAGE, ..Query::default() };
    for (name, value) in pairs {
        let wrong = |right: &str| malformed(format!("{name}={value}: {right}"));
        match name.as_str() {
            "after" => meant.after = Some(entry_number(&value).ok_or_else(|| wrong("it is the number of an entry"))?),
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=MOST).contains(limit));
                meant.limit = limit.ok_or_else(|| wrong(&format!("it is 1 to {MOST}")))?;
            }
            "kind" => {
                let kind = Source::ALL.into_iter().find(|source| source.name() == value);
                meant.source = Some(kind.ok_or_else(|| wrong("it is decision, order, event or operator"))?);
            }
            "server" => meant.server = Some(server_id(&value).ok_or_else(|| wrong("it is for example server-3"))?),
            "instance" => meant.instance = Some(actors::model::InstanceId::new(&value)),
            _ => {
                return Err(malformed(format!(
                    "there is no {name}: there are after, limit, kind, server and instance"
                )));
            }
        }
    }
    Ok(meant)
}

/// A number that no entry will ever have is none the less one: nothing comes after it.
fn entry_number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

fn named(id: &str) -> Result<ServerId, Problem> {
    server_id(id).ok_or_else(|| unknown(id))
}

fn server_id(text: &str) -> Option<ServerId> {
    let number = text.strip_prefix("server-")?.parse().ok()?;
    // One name for each: no leading zeros, no sign.
    Some(ServerId::from_number(number)).filter(|id| id.to_string() == text)
}

fn unknown(id: &str) -> Problem {
    Problem::new(Kind::NotFound, format!("there is no server {id:?}, or not any more"))
}

fn unavailable(unanswered: Unanswered) -> Problem {
    Problem::new(Kind::Unavailable, unanswered.to_string())
}

fn shown<T: Serialize>(shown: &T) -> Response<Bytes> {
    api::json(StatusCode::OK, shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_named_by_digits_however_many() {
        for (text, number) in [
            ("0", Some(0)),
            ("12", Some(12)),
            ("18446744073709551615", Some(u64::MAX)),
            ("25242210302957472186368", Some(u64::MAX)),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.0", None),
            ("last", None),
        ] {
            assert_eq!(entry_number(text), number, "{text}");
        }
    }
}
