//! Version 1 of the API for clients: which request is which.

use futures_util::Stream;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, Method, Response, StatusCode};
use warp::hyper::body::{Buf, Bytes};
use warp::path::FullPath;

use super::allocations;
use super::ask::Fleet;
use super::door::Door;
use super::server::Sender;
use crate::api::{self, BodyError, Kind, Problem, read_json};
use crate::metrics::{AllocationOutcome, Api};
use crate::traces;

const ALL: &str = "POST, OPTIONS";
const ONE: &str = "GET, HEAD, DELETE, OPTIONS";
const DOCUMENT: &str = "GET, HEAD, OPTIONS";

/// The document of this API.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "playlivechess-manager: for clients",
        description = "Where to play. Errors are RFC 9457 problems. The two older endpoints, `/available-gameserver/` and \
            `/available-gameserver-list/`, are not part of it and stay as they are."
    ),
    paths(allocations::allocate, allocations::show, allocations::release),
    tags((name = "allocations", description = "Places on game servers"))
)]
struct Document;

/// The document, as JSON.
pub fn document() -> String {
    let mut document = Document::openapi();
    let key = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("One of the keys in `api.keys_file`"));
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("key", SecurityScheme::Http(key.build()));
    document.to_pretty_json().unwrap_or_default()
}

/// All that begins with `/v1`, and the document.
pub(super) fn routes(fleet: &Fleet, door: &Door) -> BoxedFilter<(Response<Bytes>,)> {
    let desk = Desk { fleet: fleet.clone(), door: door.clone() };
    let desk = warp::any().map(move || desk.clone());
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    let request = warp::method().and(warp::path::full()).and(query).and(warp::header::headers_cloned());
    let request = request.and(warp::ext::optional());
    let v1 = warp::path("v1").and(desk).and(request).and(warp::body::stream());
    let document = warp::path!("openapi.json").and(warp::method()).map(described);
    v1.then(async |desk: Desk, method, path: FullPath, query: String, headers, sender: Option<Sender>, body| {
        let request =
            Request { method, path: path.as_str(), query: &query, headers: &headers, sender: sender.as_ref() };
        desk.answer(request, body).await.unwrap_or_else(|problem| problem.response())
    })
    .or(document)
    .unify()
    .boxed()
}

/// A request without its body.
struct Request<'a> {
    method: Method,
    path: &'a str,
    query: &'a str,
    headers: &'a HeaderMap,
    sender: Option<&'a Sender>,
}

/// Where clients are answered.
#[derive(Clone)]
struct Desk {
    fleet: Fleet,
    door: Door,
}

impl Desk {
    async fn answer<B: Buf>(
        &self,
        request: Request<'_>,
        body: impl Stream<Item = Result<B, warp::Error>>,
    ) -> Result<Response<Bytes>, Problem> {
        let Request { ref method, path, headers, .. } = request;
        let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).skip(1).collect();
        let fleet = &self.fleet;
        if *method == Method::POST && path == ["allocations"] {
            let mut trace = fleet.traces().request("POST /v1/allocations", Some(headers));
            let response = self.allocate(request, body, &mut trace).await.unwrap_or_else(|problem| problem.response());
            trace.answered(response.status());
            return Ok(response);
        }
        if *method != Method::OPTIONS {
            self.door.admit(headers)?;
        }
        match (method, &path[..]) {
            (&Method::OPTIONS, ["allocations"]) => Ok(api::options(ALL)),
            (_, ["allocations"]) => Err(not_by(ALL)),
            (&Method::OPTIONS, ["allocations", _]) => Ok(api::options(ONE)),
            (&Method::GET | &Method::HEAD, ["allocations", id]) => allocations::show(fleet, id).await,
            (&Method::DELETE, ["allocations", id]) => allocations::release(fleet, id).await,
            (_, ["allocations", _]) => Err(not_by(ONE)),
            _ => Err(Problem::new(Kind::NotFound, "no such path: /openapi.json tells which there are")),
        }
    }

    /// Whoever is turned away before the fleet is asked is counted as well.
    async fn allocate<B: Buf>(
        &self,
        Request { query, headers, sender, .. }: Request<'_>,
        body: impl Stream<Item = Result<B, warp::Error>>,
        trace: &mut traces::Request,
    ) -> Result<Response<Bytes>, Problem> {
        let fleet = &self.fleet;
        let turned_away = |outcome, problem| {
            fleet.turned_away(Api::V1, outcome);
            problem
        };
        let caller = self.door.admit(headers);
        let caller = caller.map_err(|problem| turned_away(AllocationOutcome::Unauthorized, problem))?;
        let limited = |problem| turned_away(AllocationOutcome::Limited, problem);
        self.door.count(sender).map_err(limited)?;
        let malformed = |problem| turned_away(AllocationOutcome::Malformed, problem);
        let wanted = match read_json(headers, body).await {
            Ok(request) => allocations::wanted(request, headers, query, caller, fleet.max_wait()).map_err(malformed)?,
            Err(BodyError::Problem(problem)) => return Err(malformed(problem)),
            Err(BodyError::Gone) => {
                fleet.turned_away(Api::V1, AllocationOutcome::Abandoned);
                // Nobody reads the answer.
                return Ok(api::empty(StatusCode::BAD_REQUEST));
            }
        };
        self.door.count_party(sender, wanted.seats()).map_err(limited)?;
        allocations::allocate(fleet, wanted, trace).await
    }
}

fn described(method: Method) -> Response<Bytes> {
    match method {
        Method::GET | Method::HEAD => api::body(StatusCode::OK, "application/json", document()),
        Method::OPTIONS => api::options(DOCUMENT),
        _ => not_by(DOCUMENT).response(),
    }
}

fn not_by(allow: &'static str) -> Problem {
    Problem::new(Kind::MethodNotAllowed(allow), format!("allowed here: {allow}"))
}
