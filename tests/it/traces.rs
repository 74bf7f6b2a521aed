//! Traces, as a collector gets them.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use prost::Message;
use reqwest::Method;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;
use warp::Filter;
use warp::http::StatusCode;
use warp::hyper::body::Bytes;

use crate::support::manager::{Manager, Setup};
use crate::support::{PATIENCE, player::Player};

/// Takes what it is sent, over HTTP, until the test ends.
struct Collector {
    address: SocketAddr,
    taken: watch::Receiver<Vec<ResourceSpans>>,
}

impl Collector {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sender, taken) = watch::channel(Vec::new());
        let traces = warp::path!("v1" / "traces").and(warp::post()).and(warp::body::bytes()).map(move |body: Bytes| {
            let request = ExportTraceServiceRequest::decode(body).expect("OTLP");
            sender.send_modify(|taken| taken.extend(request.resource_spans));
            warp::reply::with_status(Vec::new(), StatusCode::OK)
        });
        tokio::spawn(warp::serve(traces).incoming(listener).run());
        Self { address, taken }
    }

    fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until something came that fits.
    async fn took<T>(&self, what: &str, find: impl Fn(&[Span]) -> Option<T>) -> T {
        let mut taken = self.taken.clone();
        let find = |taken: &Vec<ResourceSpans>| find(&spans(taken));
        let come = timeout(PATIENCE, taken.wait_for(|taken| find(taken).is_some())).await;
        let come = come.unwrap_or_else(|_| panic!("waited in vain for {what}: {:?}", self.taken.borrow()));
        find(&come.expect("the collector runs")).expect("found a moment ago")
    }
}

fn spans(taken: &[ResourceSpans]) -> Vec<Span> {
    taken.iter().flat_map(|resource| &resource.scope_spans).flat_map(|scope| scope.spans.clone()).collect()
}

/// What is told of a span, or of who sends it.
fn told(attributes: &[KeyValue]) -> BTreeMap<&str, String> {
    let value = |attribute: &KeyValue| match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        _ => None,
    };
    attributes.iter().filter_map(|attribute| Some((attribute.key.as_str(), value(attribute)?))).collect()
}

fn parts(of: &Span, all: &[Span]) -> Vec<Span> {
    all.iter().filter(|span| span.trace_id == of.trace_id && span.parent_span_id == of.span_id).cloned().collect()
}

/// The first span of that name, and its parts.
fn whole(name: &str, all: &[Span]) -> Option<(Span, Vec<Span>)> {
    let span = all.iter().find(|span| span.name == name)?;
    Some((span.clone(), parts(span, all)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn allocate(manager: &Manager, traceparent: Option<&str>) -> serde_json::Value {
    let mut request = manager.ask(Method::POST, "/v1/allocations");
    if let Some(traceparent) = traceparent {
        request = request.header("traceparent", traceparent);
    }
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::CREATED);
    serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON")
}

fn setup(collector: &Collector) -> Setup {
    Setup::local()
        .environment("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint())
        .environment("RUST_LOG", "info,playlivechess_manager=debug")
}

#[tokio::test]
async fn an_allocation_is_a_trace_of_the_same_id_as_the_log_and_the_answer_have() {
    let collector = Collector::start().await;
    let manager = setup(&collector).environment("MANAGER_TRACES_ONE_IN", "1").start().await;
    manager.serves(1).await;
    let allocation = allocate(&manager, None).await;
    let id = allocation["id"].as_str().expect("an id");
    let is_it = |span: &&Span| span.name == "POST /v1/allocations" && hex(&span.trace_id) == id;
    let (span, parts) = collector
        .took("the allocation's trace", |all| {
            let span = all.iter().find(is_it)?;
            Some((span.clone(), parts(span, all)))
        })
        .await;
    assert_eq!((span.kind(), span.parent_span_id.len()), (SpanKind::Server, 0));
    let told = told(&span.attributes);
    assert_eq!(
        [&told["allocation"], &told["server"], &told["outcome"], &told["http.response.status_code"]],
        [id, allocation["server"].as_str().expect("a server"), "placed", "201"]
    );
    let [asked] = &parts[..] else { panic!("{parts:?}") };
    assert_eq!(asked.name, "ask the fleet");
    assert!(span.start_time_unix_nano <= asked.start_time_unix_nano, "{span:?} {asked:?}");
    assert!(asked.end_time_unix_nano <= span.end_time_unix_nano, "{span:?} {asked:?}");
    let line = manager.log.message(0, "allocated").await;
    assert_eq!((line["allocation"].as_str(), line["trace_id"].as_str()), (Some(id), Some(id)));

    // The older endpoint, too; its clients have no id.
    manager.available().await;
    let older = collector.took("the older endpoint's trace", |all| whole("GET /available-gameserver/", all)).await.0;
    assert_eq!(crate::traces::told(&older.attributes)["outcome"], "placed");
    manager.stop().await;
}

#[tokio::test]
async fn who_is_traced_itself_decides_and_the_last_traces_are_sent_before_the_end() {
    let collector = Collector::start().await;
    let manager = setup(&collector).environment("MANAGER_TRACES_ONE_IN", "1").start().await;
    manager.serves(1).await;
    allocate(&manager, Some("00-11111111111111111111111111111111-2222222222222222-00")).await;
    let allocation = allocate(&manager, Some("00-33333333333333333333333333333333-4444444444444444-01")).await;
    manager.stop().await;
    let all = spans(&collector.taken.borrow());
    let allocations: Vec<&Span> = all.iter().filter(|span| span.name == "POST /v1/allocations").collect();
    let [span] = allocations[..] else { panic!("{allocations:?}") };
    assert_eq!((hex(&span.trace_id), hex(&span.parent_span_id)), ("3".repeat(32), "4".repeat(16)));
    assert_eq!(told(&span.attributes)["allocation"], allocation["id"].as_str().expect("an id"));
}

#[tokio::test]
async fn a_launch_is_a_trace_with_its_stages_and_calls_under_the_names_of_the_log() {
    let collector = Collector::start().await;
    let manager = setup(&collector).start().await;
    let line = manager.log.message(0, "a launch came to serve").await;
    let (launch, parts) = collector.took("the launch's trace", |all| whole("launch", all)).await;
    let about = told(&launch.attributes);
    for name in ["launch", "server", "instance"] {
        assert_eq!(Some(about[name].as_str()), line[name].as_str(), "{name}");
    }
    let names: Vec<&str> = parts.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["booting", "registering", "placing", "starting", "launch", "place"]);
    let stages = &parts[..4];
    assert_eq!(stages[0].start_time_unix_nano, launch.start_time_unix_nano);
    assert!(stages.windows(2).all(|two| two[0].end_time_unix_nano == two[1].start_time_unix_nano), "{stages:?}");
    assert!(parts[4..].iter().all(|call| call.kind() == SpanKind::Client), "{parts:?}");
    let resource = collector.taken.borrow()[0].resource.clone().expect("who sends it");
    assert_eq!(told(&resource.attributes)["service.name"], "playlivechess-manager");
    // Of allocations one in a hundred is traced, of launches each.
    assert_eq!(manager.log.count(0, "takes no traces"), 0);
    manager.stop().await;
}

#[tokio::test]
async fn a_collector_that_is_not_there_keeps_nobody_from_playing() {
    let gone = Collector::start().await.endpoint().replace("127.0.0.1", "127.0.0.2");
    let setup = Setup::local().environment("OTEL_EXPORTER_OTLP_ENDPOINT", &gone);
    let manager = setup.environment("MANAGER_TRACES_ONE_IN", "1").start().await;
    let player: Player = manager.bring_player().await;
    manager.log.message(0, "the collector takes no traces").await;
    player.leave().await;
    let metrics = manager.operate(Method::GET, "/metrics").send().await.expect("an answer");
    let metrics = metrics.text().await.expect("a body");
    let failed =
        metrics.lines().find(|line| line.starts_with("playlivechess_manager_trace_spans_total{result=\"failed\"}"));
    assert!(failed.is_some_and(|line| !line.ends_with(" 0")), "{metrics}");
    manager.stop().await;
}
