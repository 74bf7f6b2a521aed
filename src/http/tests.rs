//! What a game client, a browser and a load balancer see, without a socket.

use std::sync::Arc;
use std::time::Duration;

use actors::fleet_supervisor::{FleetMsg, Refusal};
use actors::mailbox::{Backlog, Mailbox};
use actors::model::{Address, NotBooked, Timestamp};
use arc_swap::ArcSwap;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use warp::http::Response;
use warp::hyper::body::Bytes;
use warp::test::request;

use super::{AnswerRules, Door, Fleet, RateRules, routes};
use crate::metrics::Metrics;
use crate::traces::Traces;

/// A supervisor that says what a test has it say.
struct Scripted;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    /// One server is known, with a place.
    OneServer,
    /// Servers are known, and all are full.
    Full,
    /// The cloud was not looked at yet.
    NotReady,
    /// It never answers.
    Stuck,
}

impl Actor for Scripted {
    type Msg = FleetMsg;
    type State = Script;
    type Arguments = Script;

    async fn pre_start(&self, _: ActorRef<FleetMsg>, script: Script) -> Result<Script, ActorProcessingErr> {
        Ok(script)
    }

    async fn handle(
        &self,
        _: ActorRef<FleetMsg>,
        msg: FleetMsg,
        script: &mut Script,
    ) -> Result<(), ActorProcessingErr> {
        let known = || ["203.0.113.7:8000", "203.0.113.8:8000"].map(Address::new).to_vec();
        if *script == Script::Stuck {
            std::future::pending::<()>().await;
        }
        match msg {
            FleetMsg::Allocate(reply_to) => {
                reply_to.send((*script == Script::OneServer).then(|| Address::new("203.0.113.7:8000")))?;
                *script = Script::Full;
            }
            FleetMsg::Peek(reply_to) => {
                reply_to.send((*script == Script::OneServer).then(|| Address::new("203.0.113.7:8000")))?;
            }
            FleetMsg::List(reply_to) => reply_to.send((*script != Script::NotReady).then(known))?,
            FleetMsg::Ready(reply_to) => reply_to.send(*script != Script::NotReady)?,
            FleetMsg::Book(_, patience, reply_to) => {
                tokio::spawn(async move {
                    tokio::time::sleep(patience).await;
                    reply_to.send(Err(Refusal::NotBooked { why: NotBooked::NoRoom, ready_in: None }))
                });
            }
            _ => {}
        }
        Ok(())
    }
}

pub(super) async fn fleet(script: Script) -> Fleet {
    let (supervisor, _) = Actor::spawn(None, Scripted, script).await.expect("it starts");
    let rules = AnswerRules {
        backup: Address::new("127.0.0.1:8888"),
        timeout: Duration::from_millis(100),
        max_wait: Duration::from_secs(60),
        max_waiting: 1,
    };
    let metrics = Metrics::new(Timestamp::default()).expect("metrics");
    Fleet::new(
        Mailbox::new(supervisor, Backlog::default()),
        Arc::new(ArcSwap::from_pointee(rules)),
        metrics,
        Traces::off(),
    )
}

/// One that everybody comes through.
pub(super) fn open_door() -> Door {
    Door::new(Arc::default(), Arc::new(ArcSwap::from_pointee(RateRules { burst: 1, rate: 0 })))
}

async fn ask(script: Script, method: &str, path: &str) -> Response<Bytes> {
    request().method(method).path(path).reply(&routes(fleet(script).await, open_door())).await
}

fn body(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).expect("text")
}

fn header<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().expect("text"))
}

#[tokio::test]
async fn the_bodies_are_those_of_the_old_manager_byte_for_byte() {
    for (path, expected) in [
        ("/available-gameserver/", r#"{"available": "203.0.113.7:8000"}"#),
        ("/available-gameserver", r#"{"available": "203.0.113.7:8000"}"#),
        ("/available-gameserver/?cache=no", r#"{"available": "203.0.113.7:8000"}"#),
        ("/available-gameserver-list/", r#"{"server_list": ["203.0.113.7:8000", "203.0.113.8:8000"]}"#),
        ("/available-gameserver-list", r#"{"server_list": ["203.0.113.7:8000", "203.0.113.8:8000"]}"#),
    ] {
        let response = ask(Script::OneServer, "GET", path).await;
        assert_eq!((response.status().as_u16(), body(&response)), (200, expected), "{path}");
        assert_eq!(header(&response, "content-type"), "application/json");
        assert_eq!(header(&response, "cache-control"), "no-store");
    }
}

#[tokio::test]
async fn the_backup_stands_in_when_all_are_full_or_the_fleet_does_not_answer() {
    for script in [Script::Full, Script::NotReady, Script::Stuck] {
        let response = ask(script, "GET", "/available-gameserver/").await;
        assert_eq!((response.status().as_u16(), body(&response)), (200, r#"{"available": "127.0.0.1:8888"}"#));
    }
    for script in [Script::NotReady, Script::Stuck] {
        let response = ask(script, "GET", "/available-gameserver-list/").await;
        assert_eq!((response.status().as_u16(), body(&response)), (200, r#"{"server_list": ["127.0.0.1:8888"]}"#));
    }
}

#[tokio::test]
async fn head_takes_no_place() {
    let routes = routes(fleet(Script::OneServer).await, open_door());
    for _ in 0..3 {
        let response = request().method("HEAD").path("/available-gameserver/").reply(&routes).await;
        assert_eq!(response.status(), 200);
    }
    let response = request().path("/available-gameserver/").reply(&routes).await;
    assert_eq!(body(&response), r#"{"available": "203.0.113.7:8000"}"#);
    let response = request().path("/available-gameserver/").reply(&routes).await;
    assert_eq!(body(&response), r#"{"available": "127.0.0.1:8888"}"#, "GET took it");
}

#[tokio::test]
async fn a_page_on_another_origin_may_ask_and_may_read_errors() {
    let routes = routes(fleet(Script::OneServer).await, open_door());
    for path in ["/available-gameserver/", "/available-gameserver-list", "/nowhere"] {
        let response = request().path(path).header("origin", "https://chess.example").reply(&routes).await;
        assert_eq!(header(&response, "access-control-allow-origin"), "https://chess.example", "{path}");
    }
    let preflight = |asks: &str| {
        request()
            .method("OPTIONS")
            .path("/available-gameserver/")
            .header("origin", "https://chess.example")
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", asks)
    };
    let response = preflight("content-type").reply(&routes).await;
    assert_eq!(response.status(), 200);
    assert!(header(&response, "access-control-allow-methods").contains("GET"));
    let response = preflight("x-unheard-of").reply(&routes).await;
    assert_eq!(response.status(), 403);
    assert!(body(&response).starts_with(r#"{"error": "#), "{}", body(&response));
}

#[tokio::test]
async fn what_fits_no_route_is_told_so_in_json() {
    let response = ask(Script::OneServer, "GET", "/available-gameservers/").await;
    assert_eq!(response.status(), 404);
    assert!(body(&response).contains("/available-gameserver/"), "{}", body(&response));
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let response = ask(Script::OneServer, method, "/available-gameserver/").await;
        assert_eq!((response.status().as_u16(), header(&response, "allow")), (405, "GET, HEAD, OPTIONS"));
        assert!(body(&response).starts_with(r#"{"error": "#), "{}", body(&response));
    }
    let response = ask(Script::OneServer, "OPTIONS", "/readyz").await;
    assert_eq!((response.status().as_u16(), header(&response, "allow")), (204, "GET, HEAD, OPTIONS"));
}

#[tokio::test]
async fn live_and_ready_say_what_a_load_balancer_needs() {
    for (script, path, expected) in [
        (Script::OneServer, "/livez", 200),
        (Script::NotReady, "/livez", 200),
        (Script::Stuck, "/livez", 503),
        (Script::OneServer, "/readyz", 200),
        (Script::NotReady, "/readyz/", 503),
        (Script::Stuck, "/readyz", 503),
    ] {
        let response = ask(script, "GET", path).await;
        assert_eq!(response.status(), expected, "{path}");
        assert!(body(&response).starts_with('{'), "{}", body(&response));
    }
}
