//! Which request is which on the operations listener.

use futures_util::Stream;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, Method, StatusCode};
use warp::hyper::body::Buf;
use warp::path::FullPath;
use warp::reply::Response;
use warp::{Filter, Reply};

use super::{Operations, handlers, page};
use crate::api::{self, BodyError, Kind, Problem, read_json};

const READ: &str = "GET, HEAD, OPTIONS";
const DO: &str = "POST, OPTIONS";
const MARGINS: &str = "PUT, DELETE, OPTIONS";

/// The document of this API.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "playlivechess-manager: for operators",
        description = "The fleet, what became of it and why, and what can be done about it. Errors are RFC 9457 problems. \
            Without a token only requests to 127.0.0.1, [::1] and localhost are answered; none that a page of another \
            origin makes."
    ),
    paths(
        handlers::fleet, handlers::servers, handlers::server, handlers::launches, handlers::lead_times,
        handlers::decisions, handlers::history, handlers::events, handlers::drain, handlers::undrain,
        handlers::reconcile, handlers::pause, handlers::resume, handlers::set_margins, handlers::reset_margins,
        handlers::metrics
    ),
    security(("token" = [])),
    tags((name = "see", description = "What is"), (name = "do", description = "What can be done"))
)]
struct Document;

/// The document, as JSON.
pub fn document() -> String {
    let mut document = Document::openapi();
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("`operations.token`"));
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("token", SecurityScheme::Http(token.build()));
    document.to_pretty_json().unwrap_or_default()
}

/// Every route.
pub fn routes(operations: Operations) -> BoxedFilter<(Response,)> {
    let operations = warp::any().map(move || operations.clone());
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    let request = warp::method().and(warp::path::full()).and(query).and(warp::header::headers_cloned());
    let all = operations.and(request).and(warp::body::stream());
    all.then(async |operations: Operations, method, path: FullPath, query: String, headers: HeaderMap, body| {
        let request = Request { method, path: path.as_str(), query: &query, headers: &headers };
        let answered = answer(&operations, request, body).await;
        answered.unwrap_or_else(|problem| problem.response().into_response())
    })
    .boxed()
}

/// A request without its body.
struct Request<'a> {
    method: Method,
    path: &'a str,
    query: &'a str,
    headers: &'a HeaderMap,
}

async fn answer<B: Buf>(
    operations: &Operations,
    request: Request<'_>,
    body: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Response, Problem> {
    let Request { method, path, query, headers } = request;
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let reads = matches!(method, Method::GET | Method::HEAD);
    // What tells nothing of the fleet needs no token.
    match parts[..] {
        [] if reads => return Ok(page::page().into_response()),
        ["dashboard", name] if reads => {
            return page::file(name).map(Reply::into_response).ok_or_else(|| no_such_path(path));
        }
        ["openapi.json"] if reads => {
            return Ok(api::body(StatusCode::OK, "application/json", document()).into_response());
        }
        ["livez"] if reads => return Ok(handlers::live(operations).await?.into_response()),
        ["readyz"] if reads => return Ok(handlers::ready(operations).await?.into_response()),
        _ => operations.gate.admit(headers)?,
    }
    let allow = match parts[..] {
        [] | ["openapi.json" | "livez" | "readyz" | "metrics"] | ["dashboard", _] => READ,
        ["v1", "fleet" | "servers" | "launches" | "lead-times" | "decisions" | "history" | "events"] => READ,
        ["v1", "servers", _] => READ,
        ["v1", "reconcile" | "pause" | "resume"] | ["v1", "servers", _, "drain" | "undrain"] => DO,
        ["v1", "margins"] => MARGINS,
        _ => return Err(no_such_path(path)),
    };
    let response = match (method, &parts[..]) {
        (Method::OPTIONS, _) => api::options(allow),
        (Method::GET, ["v1", "events"]) => return handlers::events(operations, headers).map(Reply::into_response),
        (Method::GET | Method::HEAD, ["metrics"]) => handlers::metrics(operations).await,
        (Method::GET | Method::HEAD, ["v1", what]) if allow == READ => match *what {
            "fleet" => handlers::fleet(operations).await?,
            "servers" => handlers::servers(operations).await?,
            "launches" => handlers::launches(operations).await?,
            "lead-times" => handlers::lead_times(operations).await?,
            "decisions" => handlers::decisions(operations, query).await?,
            "history" => handlers::history(operations),
            // The head of a stream.
            _ => api::empty(StatusCode::OK),
        },
        (Method::GET | Method::HEAD, ["v1", "servers", id]) => handlers::server(operations, id).await?,
        (Method::POST, ["v1", "servers", id, "drain"]) => handlers::drain(operations, id).await?,
        (Method::POST, ["v1", "servers", id, "undrain"]) => handlers::undrain(operations, id).await?,
        (Method::POST, ["v1", "reconcile"]) => handlers::reconcile(operations).await?,
        (Method::POST, ["v1", "pause"]) => handlers::pause(operations).await?,
        (Method::POST, ["v1", "resume"]) => handlers::resume(operations).await?,
        (Method::PUT, ["v1", "margins"]) => match read_json(headers, body).await {
            Ok(change) => handlers::set_margins(operations, change).await?,
            Err(BodyError::Problem(problem)) => return Err(problem),
            // Nobody reads the answer.
            Err(BodyError::Gone) => api::empty(StatusCode::BAD_REQUEST),
        },
        (Method::DELETE, ["v1", "margins"]) => handlers::reset_margins(operations).await?,
        _ => return Err(Problem::new(Kind::MethodNotAllowed(allow), format!("allowed here: {allow}"))),
    };
    Ok(response.into_response())
}

fn no_such_path(path: &str) -> Problem {
    Problem::new(Kind::NotFound, format!("there is no {path}: /openapi.json tells what there is"))
}
