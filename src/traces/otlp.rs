//! Spans on their way to a collector: OTLP over HTTP, by OpenTelemetry's own exporter.

use std::time::{Duration, UNIX_EPOCH};

use actors::model::Timestamp;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanExporter as _, SpanLinks};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use warp::http::HeaderMap;

use super::TracesError;
use super::span::{Kind, Parent, Span, Value};
use crate::metrics::{Metrics, SpanFate};

const NAME: &str = env!("CARGO_PKG_NAME");
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How long the collector may take: what OTLP's own variable, `OTEL_EXPORTER_OTLP_TIMEOUT`, is by default.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Traces that are sent together at most.
const TOGETHER: usize = 256;

/// Traces that may wait for the collector; more are dropped, and counted.
pub(super) const WAITING: usize = 1024;

/// Sends spans to the collector.
pub(super) struct Exporter {
    collector: SpanExporter,
    scope: InstrumentationScope,
    metrics: Metrics,
    /// The last ones did not get there.
    fails: bool,
}

impl Exporter {
    /// One that sends to this endpoint what this fleet does. Nothing is sent yet.
    pub(super) fn new(endpoint: &str, fleet: &str, metrics: Metrics) -> Result<Self, TracesError> {
        let client = reqwest::Client::builder().timeout(TIMEOUT).build()?;
        let mut collector = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .build()?;
        // What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say goes along.
        let resource = Resource::builder().with_service_name(NAME);
        let told = [KeyValue::new("service.version", VERSION), KeyValue::new("service.namespace", fleet.to_owned())];
        collector.set_resource(&resource.with_attributes(told).build());
        let scope = InstrumentationScope::builder(NAME).with_version(VERSION).build();
        Ok(Self { collector, scope, metrics, fails: false })
    }

    /// Sends what there is, until it is to stop; then what is left.
    pub(super) async fn run(mut self, mut spans: mpsc::Receiver<Vec<Span>>, stop: CancellationToken) {
        let mut traces = Vec::with_capacity(TOGETHER);
        loop {
            let received = tokio::select! {
                received = spans.recv_many(&mut traces, TOGETHER) => received,
                () = stop.cancelled(), if !spans.is_closed() => {
                    spans.close();
                    continue;
                }
            };
            if received == 0 {
                return;
            }
            self.send(traces.drain(..).flatten().map(|span| data(span, &self.scope)).collect()).await;
        }
    }

    async fn send(&mut self, spans: Vec<SpanData>) {
        let count = spans.len();
        // It tries again by itself, where the collector says that this may help.
        match self.collector.export(spans).await {
            Ok(()) => {
                self.metrics.spans(SpanFate::Exported, count);
                if self.fails {
                    tracing::info!("the collector takes traces again");
                }
                self.fails = false;
            }
            Err(error) => {
                self.metrics.spans(SpanFate::Failed, count);
                if !self.fails {
                    tracing::warn!(%error, "the collector takes no traces: they are lost until it does");
                }
                self.fails = true;
            }
        }
    }
}

fn data(span: Span, scope: &InstrumentationScope) -> SpanData {
    let Span { trace, id, parent, parent_is_remote, kind, name, from, to, attributes, failed } = span;
    let (trace, id) = (TraceId::from_bytes(trace.to_be_bytes()), SpanId::from_bytes(id.to_be_bytes()));
    let attributes = attributes.into_iter().map(|(name, value)| match value {
        Value::Text(text) => KeyValue::new(name, text),
        Value::Number(number) => KeyValue::new(name, number),
    });
    SpanData {
        span_context: SpanContext::new(trace, id, TraceFlags::SAMPLED, false, TraceState::NONE),
        parent_span_id: parent.map_or(SpanId::INVALID, |parent| SpanId::from_bytes(parent.to_be_bytes())),
        parent_span_is_remote: parent_is_remote,
        span_kind: match kind {
            Kind::Server => SpanKind::Server,
            Kind::Client => SpanKind::Client,
            Kind::Internal => SpanKind::Internal,
        },
        name,
        start_time: UNIX_EPOCH + since_epoch(from),
        end_time: UNIX_EPOCH + since_epoch(to),
        attributes: attributes.collect(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: failed.map_or(Status::Unset, Status::error),
        instrumentation_scope: scope.clone(),
    }
}

const fn since_epoch(at: Timestamp) -> Duration {
    Duration::from_micros(at.as_micros())
}

/// The step of another program that a request was sent from, by its `traceparent` header.
pub(super) fn parent(headers: &HeaderMap) -> Option<Parent> {
    let context = TraceContextPropagator::new().extract(&Headers(headers));
    let span = context.span();
    let context = span.span_context();
    context.is_valid().then(|| Parent {
        trace: u128::from_be_bytes(context.trace_id().to_bytes()),
        id: u64::from_be_bytes(context.span_id().to_bytes()),
        is_sampled: context.is_sampled(),
    })
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(warp::http::HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use warp::http::HeaderValue;

    use super::*;

    fn of(traceparent: &str) -> Option<Parent> {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", HeaderValue::from_str(traceparent).expect("a header"));
        parent(&headers)
    }

    #[test]
    fn a_request_says_what_it_is_a_part_of() {
        let (trace, id) = (0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c, 0xb7ad_6b71_6920_3331);
        for (text, expected) in [
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Some(Parent { trace, id, is_sampled: true })),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", Some(Parent { trace, id, is_sampled: false })),
            ("00-00000000000000000000000000000000-b7ad6b7169203331-01", None),
            ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", None),
            ("00-0af7651916cd43dd8448eb211c80319c-01", None),
            ("", None),
        ] {
            assert_eq!(of(text), expected, "{text:?}");
        }
        assert_eq!(parent(&HeaderMap::new()), None);
    }
}
