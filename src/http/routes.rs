//! Which question is asked at which path.

use std::convert::Infallible;
use std::future::ready;

use futures_util::future::Either;
use warp::filters::BoxedFilter;
use warp::http::{Method, Response, StatusCode};
use warp::hyper::body::Bytes;
use warp::{Filter, Reply};

use super::ask::Fleet;
use super::door::Door;
use super::server::Sender;
use super::{allocations, errors, reply, v1};
use crate::metrics::{AllocationOutcome, Api};
use crate::traces::Request;

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
    // What is asked most often comes first, and all else is one step: each step on the way costs each request.
    let place = place(&fleet, &door).with(&cors).map(Reply::into_response);
    let others =
        reading(&fleet).or(operators(&fleet)).unify().or(options()).unify().or(v1::routes(&fleet, &door)).unify();
    // The first recovery is inside, so that a page may read an error; the second answers a preflight that asks too much.
    let others = others.boxed().recover(errors::recover).with(cors).recover(errors::recover).map(Reply::into_response);
    place.or(others.boxed()).unify().boxed()
}

/// Where the next game is: what nearly all ask.
fn place(
    fleet: &Fleet,
    door: &Door,
) -> impl Filter<Extract = (Response<Bytes>,), Error = warp::Rejection> + Clone + use<> {
    let (fleet, door) = (fleet.clone(), door.clone());
    let allocate = move |sender: Option<Sender>| {
        let headers = sender.as_ref().map(|sender| &sender.headers);
        let trace = fleet.traces().request("GET /available-gameserver/", headers);
        match door.count(sender.as_ref()) {
            Ok(()) => Either::Left(allocate(fleet.clone(), trace)),
            Err(problem) => {
                fleet.turned_away(Api::V0, AllocationOutcome::Limited);
                let response = problem.response();
                trace.answered(response.status());
                Either::Right(ready(response))
            }
        }
    };
    // Who came to know these endpoints sends no key.
    warp::path!("available-gameserver").and(warp::get()).and(warp::ext::optional()).then(allocate)
}

/// Whoever may ask is given a place. No more is kept until the answer than it needs: there may be thousands at once.
async fn allocate(fleet: Fleet, mut trace: Request) -> Response<Bytes> {
    let response = reply::available(&fleet.allocate(&mut trace).await);
    trace.answered(response.status());
    response
}

/// What else is asked of the fleet where nothing is given.
fn reading(fleet: &Fleet) -> BoxedFilter<(Response<Bytes>,)> {
    let peek = |fleet: Fleet| async move { reply::available(&fleet.peek().await) };
    let list = |fleet: Fleet| async move { reply::server_list(&fleet.list().await) };
    let head = warp::path!("available-gameserver").and(warp::head()).and(with(fleet)).then(peek);
    let all = warp::path!("available-gameserver-list").and(is_read()).and(with(fleet)).then(list);
    head.or(all).unify().boxed()
}

/// What load balancers and operators ask.
fn operators(fleet: &Fleet) -> BoxedFilter<(Response<Bytes>,)> {
    let live = warp::path!("livez").and(is_read()).and(with(fleet)).then(|fleet: Fleet| async move {
        match fleet.is_ready().await {
            Some(_) => reply::status("live"),
            None => reply::error(StatusCode::SERVICE_UNAVAILABLE, "the fleet does not answer"),
        }
    });
    let ready = warp::path!("readyz").and(is_read()).and(with(fleet)).then(|fleet: Fleet| async move {
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

fn is_read() -> impl Filter<Extract = (), Error = warp::Rejection> + Copy {
    warp::get().or(warp::head()).unify()
}

fn with(fleet: &Fleet) -> impl Filter<Extract = (Fleet,), Error = Infallible> + Clone + use<> {
    let fleet = fleet.clone();
    warp::any().map(move || fleet.clone())
}
