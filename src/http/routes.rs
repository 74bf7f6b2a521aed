//! Which question is asked at which path.

use std::convert::Infallible;
use std::future;

use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, Method, Response, StatusCode};
use warp::hyper::body::Bytes;
use warp::{Filter, Reply};

use super::ask::Fleet;
use super::door::Door;
use super::{Peer, allocations, errors, reply, v1};
use crate::api::Problem;
use crate::metrics::{AllocationOutcome, Api};

/// How long a browser may remember that it may ask.
const PREFLIGHT_MAX_AGE_SECONDS: u32 = 86_400;

/// Headers that a page on another origin may send along.
/// Those that the old manager allowed among them.
const ALLOWED_HEADERS: [&str; 14] = [
    "accept",
    "accept-encoding",
    "authorization",
    "cache-control",
    "content-type",
    "dnt",
    allocations::IDEMPOTENCY_KEY,
    "origin",
    "pragma",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-csrftoken",
    "x-requested-with",
];

/// Every route, with and without the trailing slash, open to pages on any origin.
pub fn routes(fleet: Fleet, door: Door) -> BoxedFilter<(warp::reply::Response,)> {
    let cors = warp::cors()
        .allow_any_origin()
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::DELETE])
        .allow_headers(ALLOWED_HEADERS)
        .expose_headers(["location", "retry-after"])
        .max_age(PREFLIGHT_MAX_AGE_SECONDS);
    // What is asked most often comes first, and what follows is one step: each step on the way costs each request.
    let clients = clients(&fleet, &door).with(&cors);
    let others = operators(&fleet).or(options()).unify().or(v1::routes(&fleet, &door)).unify().boxed();
    // The first recovery is inside, so that a page may read an error; the second answers a preflight that asks too much.
    let others = others.recover(errors::recover).with(cors).map(Reply::into_response).boxed();
    clients.map(Reply::into_response).or(others).unify().recover(errors::recover).map(Reply::into_response).boxed()
}

/// What game clients ask.
fn clients(fleet: &Fleet, door: &Door) -> BoxedFilter<(Response<Bytes>,)> {
    let allocate = |fleet: Fleet, headers: HeaderMap, counted: Result<(), Problem>| async move {
        let mut trace = fleet.traces().request("GET /available-gameserver/", &headers);
        let response = match counted {
            Ok(()) => reply::available(&fleet.allocate(&mut trace).await),
            Err(problem) => {
                fleet.turned_away(Api::V0, AllocationOutcome::Limited);
                problem.response()
            }
        };
        trace.answered(response.status());
        response
    };
    // Who came to know these endpoints sends no key.
    let counted = headers(fleet, door).and(warp::ext::optional()).map({
        let door = door.clone();
        move |headers: HeaderMap, peer: Option<Peer>| {
            let counted = door.count(&headers, peer);
            (headers, counted)
        }
    });
    let counted = counted.untuple_one();
    let peek = |fleet: Fleet| async move { reply::available(&fleet.peek().await) };
    let list = |fleet: Fleet| async move { reply::server_list(&fleet.list().await) };
    let one = warp::path!("available-gameserver");
    let all = warp::path!("available-gameserver-list");
    let get_one = one.and(warp::get()).and(with(fleet)).and(counted).then(allocate);
    let head_one = one.and(warp::head()).and(with(fleet)).then(peek);
    let get_all = all.and(reading()).and(with(fleet)).then(list);
    get_one.or(head_one.or(get_all).unify().boxed()).unify().boxed()
}

/// The headers of a request, or none while nobody looks at them.
fn headers(fleet: &Fleet, door: &Door) -> impl Filter<Extract = (HeaderMap,), Error = Infallible> + Clone + use<> {
    let (fleet, door) = (fleet.clone(), door.clone());
    let are_read = move || {
        let are_read = fleet.traces().are_on() || door.counts();
        future::ready(if are_read { Ok(()) } else { Err(warp::reject()) })
    };
    let read = warp::any().and_then(are_read).untuple_one().and(warp::header::headers_cloned());
    read.or(warp::any().map(HeaderMap::default)).unify()
}

/// What load balancers and operators ask.
fn operators(fleet: &Fleet) -> BoxedFilter<(Response<Bytes>,)> {
    let live = warp::path!("livez").and(reading()).and(with(fleet)).then(|fleet: Fleet| async move {
        match fleet.is_ready().await {
            Some(_) => reply::status("live"),
            None => reply::error(StatusCode::SERVICE_UNAVAILABLE, "the fleet does not answer"),
        }
    });
    let ready = warp::path!("readyz").and(reading()).and(with(fleet)).then(|fleet: Fleet| async move {
        match fleet.is_ready().await {
            Some(true) => reply::status("ready"),
            Some(false) => reply::error(StatusCode::SERVICE_UNAVAILABLE, "the first look at the cloud is not complete"),
            None => reply::error(StatusCode::SERVICE_UNAVAILABLE, "the fleet does not answer"),
        }
    });
    live.or(ready).unify().boxed()
}

/// `OPTIONS` from who is no browser: a preflight never gets here.
fn options() -> BoxedFilter<(Response<Bytes>,)> {
    let paths = warp::path!("available-gameserver")
        .or(warp::path!("available-gameserver-list"))
        .unify()
        .or(warp::path!("livez"))
        .unify()
        .or(warp::path!("readyz"))
        .unify();
    paths.and(warp::options()).map(errors::allowed).boxed()
}

fn reading() -> impl Filter<Extract = (), Error = warp::Rejection> + Copy {
    warp::get().or(warp::head()).unify()
}

fn with(fleet: &Fleet) -> impl Filter<Extract = (Fleet,), Error = Infallible> + Clone + use<> {
    let fleet = fleet.clone();
    warp::any().map(move || fleet.clone())
}
