//! `/v1/allocations`: places for parties, that are waited for, seen again and given back.

use std::time::Duration;

use actors::fleet_supervisor::Refusal;
use actors::model::{AllocationId, Booking, BookingRequest, BookingState, NotBooked};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use warp::hyper::body::Bytes;

use super::ask::{Fleet, Unanswered};
use super::door::Caller;
use crate::api::{self, Kind, Problem, Whole, moment};
use crate::traces::Request;

/// The longest sticky or idempotency key.
const LONGEST_KEY: usize = 128;

/// The header by which a client that tries again is given the same places.
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Before a client comes again whose earlier request waits: that one may have been let go of by then.
const UNDER_WAY: Duration = Duration::from_secs(1);

/// Before a client that was told of no room comes again, where it cannot be told when there will be some.
const COME_AGAIN: Duration = Duration::from_secs(5);

/// What a client asks for.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AllocationRequest {
    /// How many places, all on one server; at most what a server takes.
    #[schema(value_type = u32, minimum = 1, maximum = 65535, default = 1)]
    seats: Whole,
    /// A text of yours: who has it is sent to the same server as the first who had it, whenever that one has room and takes
    /// players. For friends, and to come back to a game. It is good for `api.sticky_ttl`. Clients with another API key have
    /// texts of their own; without keys all share them.
    #[schema(min_length = 1, max_length = 128)]
    sticky: Option<String>,
}

impl Default for AllocationRequest {
    fn default() -> Self {
        Self { seats: Whole(1), sticky: None }
    }
}

/// Places that were handed out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub(super) struct Allocation {
    /// Its name, which nobody can guess.
    #[schema(example = "5f0c6d1e2a9b4c3d8e7f001122334455", pattern = "^[0-9a-f]{32}$")]
    id: String,
    /// What has become of it.
    state: State,
    /// Where to connect, `host:port`.
    #[schema(example = "203.0.113.7:8000")]
    address: String,
    /// The game server.
    #[schema(example = "server-12")]
    server: String,
    /// How many places.
    #[schema(minimum = 1)]
    seats: u32,
    /// So long the places are kept for players who do not show up.
    #[schema(format = DateTime)]
    held_until: String,
}

/// What has become of an allocation: its places are `held`, its players have `arrived`, or have not in time (`expired`), it
/// was given back (`released`), or the server is gone (`lost`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    Held,
    Arrived,
    Expired,
    Released,
    Lost,
}

impl From<Booking> for Allocation {
    fn from(booking: Booking) -> Self {
        Self {
            id: booking.id.to_string(),
            state: match booking.state {
                BookingState::Held => State::Held,
                BookingState::Arrived => State::Arrived,
                BookingState::Expired => State::Expired,
                BookingState::Released => State::Released,
                BookingState::Lost => State::Lost,
            },
            address: booking.address.to_string(),
            server: booking.server.to_string(),
            seats: booking.seats,
            held_until: moment(booking.held_until),
        }
    }
}

/// What a client asks for, and for how long it would wait.
pub(super) struct Wanted {
    request: BookingRequest,
    patience: Duration,
}

/// Reads what a client wants; it may wait for so long at most.
///
/// # Errors
/// When that cannot be.
pub(super) fn wanted(
    request: AllocationRequest,
    headers: &HeaderMap,
    query: &str,
    caller: Caller,
    max_wait: Duration,
) -> Result<Wanted, Problem> {
    let patience = wait(query, max_wait)?;
    Ok(Wanted { request: booking_request(request, idempotency_key(headers)?, caller)?, patience })
}

impl Wanted {
    /// How many places; one at least.
    pub(super) const fn seats(&self) -> u32 {
        self.request.seats
    }
}

/// Holds places on a server
///
/// All on one server, for as long as `scaling.hold_ttl` says, or until their players show up there. With `wait` the answer
/// comes as soon as there is room, or when the wait is over, and the fleet grows for those who wait. They are served in turn,
/// but for parties: one for which no server has room lets those pass who want less.
#[utoipa::path(
    post,
    path = "/v1/allocations",
    tag = "allocations",
    params(
        ("wait" = Option<String>, Query, description = "How long to wait for room, as `500ms`, `20s` or `1m`; at most \
            `api.max_wait`. Not at all if it is left out.", example = "20s",
            pattern = "^([0-9]{1,6}ms|[0-9]{1,3}s|[0-9]{1,2}m)$"),
        ("Idempotency-Key" = Option<String>, Header, description = "A text of yours for this request: one that has it as \
            well, because the answer was lost, is given the same places, if they are still held or their players have come; \
            if not, other ones. It does not outlive the manager. Draw it at random: without API keys all clients share them.", min_length = 1, max_length = 128, pattern = "^[!-~]+$"),
    ),
    request_body(content = Option<AllocationRequest>, content_type = "application/json"),
    responses(
        (status = 201, description = "The places are held; or its players have come, after a request with the same Idempotency-Key", body = Allocation,
            headers(("Location" = String, description = "Where it is seen and given back"))),
        (status = 400, description = "The request cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not come in time", body = Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "A request with this Idempotency-Key waits", body = Problem,
            content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds"))),
        (status = 413, description = "The body is too large", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is no JSON", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A server takes fewer, or an earlier request with this Idempotency-Key asked for \
            something else", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "Seconds"))),
        (status = 503, description = "No server has room", body = Problem, content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "Seconds"))),
    ),
    security((), ("key" = []))
)]
pub(super) async fn allocate(
    fleet: &Fleet,
    Wanted { request, patience }: Wanted,
    trace: &mut Request,
) -> Result<Response<Bytes>, Problem> {
    trace.is_for(request.id);
    let booking = match fleet.book(request, patience, trace).await {
        Ok(Ok(booking)) => booking,
        Ok(Err(refusal)) => return Err(refused(fleet, refusal)),
        Err(unanswered) => return Err(unavailable(unanswered)),
    };
    let location = HeaderValue::from_str(&format!("/v1/allocations/{}", booking.id));
    let mut response = api::json(StatusCode::CREATED, &Allocation::from(booking));
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// What has become of an allocation
#[utoipa::path(
    get,
    path = "/v1/allocations/{id}",
    tag = "allocations",
    params(("id" = String, Path, description = "Its name, as it was given", pattern = "^[0-9a-f]{32}$")),
    responses(
        (status = 200, description = "It is known", body = Allocation),
        (status = 400, description = "The request cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "It is not known, or not any more", body = Problem,
            content_type = "application/problem+json"),
        (status = 503, description = "The manager cannot answer now", body = Problem,
            content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds"))),
    ),
    security((), ("key" = []))
)]
pub(super) async fn show(fleet: &Fleet, id: &str) -> Result<Response<Bytes>, Problem> {
    let found = fleet.booking(known_id(id)?).await.map_err(unavailable)?;
    Ok(api::json(StatusCode::OK, &Allocation::from(found.ok_or_else(|| unknown(id))?)))
}

/// Gives places back
///
/// For players who do not come. Whose players have come, or whose time is over, holds nothing that could be given back: the
/// answer is the same.
#[utoipa::path(
    delete,
    path = "/v1/allocations/{id}",
    tag = "allocations",
    params(("id" = String, Path, description = "Its name, as it was given", pattern = "^[0-9a-f]{32}$")),
    responses(
        (status = 204, description = "It holds nothing any more"),
        (status = 400, description = "The request cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "It is not known, or not any more", body = Problem,
            content_type = "application/problem+json"),
        (status = 503, description = "The manager cannot answer now", body = Problem,
            content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds"))),
    ),
    security((), ("key" = []))
)]
pub(super) async fn release(fleet: &Fleet, id: &str) -> Result<Response<Bytes>, Problem> {
    let found = fleet.release(known_id(id)?).await.map_err(unavailable)?;
    found.map(|_| api::empty(StatusCode::NO_CONTENT)).ok_or_else(|| unknown(id))
}

fn booking_request(
    request: AllocationRequest,
    idempotency: Option<&str>,
    caller: Caller,
) -> Result<BookingRequest, Problem> {
    let AllocationRequest { seats: Whole(seats), sticky } = request;
    if seats == 0 {
        return Err(Problem::new(Kind::Unprocessable, "seats is 0: ask for 1 at least"));
    }
    if sticky.as_ref().is_some_and(|key| key.is_empty() || key.len() > LONGEST_KEY) {
        return Err(Problem::new(Kind::Unprocessable, format!("sticky has 1 to {LONGEST_KEY} bytes")));
    }
    let id = AllocationId::from_number(rand::rng().random());
    let own = |text: &str| caller.own(text);
    Ok(BookingRequest { id, seats, sticky: sticky.as_deref().map(own), idempotency: idempotency.map(own) })
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(given) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let is_plain =
        |text: &&str| (1..=LONGEST_KEY).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_graphic());
    let key = given.to_str().ok().filter(is_plain).ok_or_else(|| {
        let detail = format!("Idempotency-Key has 1 to {LONGEST_KEY} visible ASCII characters, and no space");
        Problem::new(Kind::Malformed, detail)
    })?;
    Ok(Some(key))
}

/// How long the client wants to wait.
fn wait(query: &str, most: Duration) -> Result<Duration, Problem> {
    let malformed = |detail: String| Problem::new(Kind::Malformed, detail);
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(query).map_err(|error| malformed(format!("in the query: {error}")))?;
    let mut patience = Duration::ZERO;
    for (name, value) in pairs {
        if name != "wait" {
            return Err(malformed(format!(
                "there is no query parameter {name:?}: there is wait, for example ?wait=20s"
            )));
        }
        patience =
            span(&value).ok_or_else(|| malformed(format!("wait={value}: it is for example 500ms, 20s or 1m")))?;
        if patience > most {
            return Err(malformed(format!("wait is {} at most", humantime::format_duration(most))));
        }
    }
    Ok(patience)
}

/// One number and one unit, as the document says, and with no more digits than `api.max_wait` can have.
fn span(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|it: char| !it.is_ascii_digit())?);
    let (digits, milliseconds) = match unit {
        "ms" => (6, 1),
        "s" => (3, 1000),
        "m" => (2, 60_000),
        _ => return None,
    };
    let number: u64 = number.parse().ok().filter(|_| number.len() <= digits)?;
    Some(Duration::from_millis(number * milliseconds))
}

fn refused(fleet: &Fleet, refusal: Refusal) -> Problem {
    match refusal {
        Refusal::NotBooked { why: NotBooked::NoRoom, ready_in } => {
            let detail = "no server has room; the backup stands in, or come again";
            let problem = Problem::new(Kind::NoCapacity, detail).with_backup(ready_in, &fleet.backup());
            problem.retry_after(ready_in.unwrap_or(COME_AGAIN))
        }
        Refusal::NotBooked { why, .. } => Problem::new(Kind::Unprocessable, why.to_string()),
        Refusal::UnderWay => {
            let detail = "a request with this Idempotency-Key waits: wait for its answer";
            Problem::new(Kind::Conflict, detail).retry_after(UNDER_WAY)
        }
    }
}

fn unavailable(unanswered: Unanswered) -> Problem {
    Problem::new(Kind::Unavailable, unanswered.to_string()).retry_after(COME_AGAIN)
}

fn known_id(id: &str) -> Result<AllocationId, Problem> {
    AllocationId::parse(id).ok_or_else(|| unknown(id))
}

fn unknown(id: &str) -> Problem {
    Problem::new(
        Kind::NotFound,
        format!(
            "there is no allocation {id:?}, or not any more: they are known for ten minutes after their end, and to the manager that \
         made them alone"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_one_number_and_one_unit() {
        for (text, milliseconds) in [
            ("0s", Some(0)),
            ("500ms", Some(500)),
            ("20s", Some(20_000)),
            ("020s", Some(20_000)),
            ("10m", Some(600_000)),
            ("0020s", None),
            ("20", None),
            ("s", None),
            ("", None),
            ("-1s", None),
            ("+1s", None),
            ("1.5s", None),
            ("1m30s", None),
            ("20 s", None),
            ("20S", None),
            ("20s ", None),
            ("\u{662}s", None),
        ] {
            assert_eq!(span(text), milliseconds.map(Duration::from_millis), "{text}");
        }
    }
}
