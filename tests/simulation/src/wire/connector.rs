//! HTTP in memory: what the SDK sends is read, meets its fate, and is answered in AWS's own formats.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

use super::{Act, Shared, ec2, ecs};
use crate::event::{Call, ManagerId};
use crate::manager::{SharedWorld, Told, send};
use crate::world::aws::ApiError;

/// The HTTP client of a manager.
pub(super) fn client(manager: ManagerId, world: SharedWorld) -> impl HttpClient + 'static {
    Connector(Arc::new((manager, world)))
}

#[derive(Clone, Debug)]
struct Connector(Shared);

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let shared = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move { exchange(&shared, &request).await })
    }
}

/// The two services, which have formats of their own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Service {
    /// Forms are answered with XML.
    Ec2,
    /// JSON is answered with JSON.
    Ecs,
}

async fn exchange(shared: &Shared, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let (manager, world) = &**shared;
    world.alive(*manager).await;
    let body = request.body().bytes().unwrap_or_default();
    let target = request.headers().get("x-amz-target").and_then(|target| target.split_once('.'));
    let (service, (call, act)): (Service, (Call, Act)) = match target {
        Some((_, action)) => (Service::Ecs, ecs::read(action, body, *manager)),
        None => (Service::Ec2, ec2::read(body, *manager)),
    };
    match send(world, *manager, call.clone(), act).await {
        Told::Answer(Ok(body)) => Ok(response(200, service, body)),
        Told::Answer(Err(error)) => Ok(refusal(service, &call, &error)),
        Told::Lost(answer) => lost(world, service, answer),
    }
}

/// An answer that does not arrive, or not whole: the connection breaks, the body breaks off, or something on the way
/// answers in AWS's place.
fn lost(world: &SharedWorld, service: Service, answer: Option<String>) -> Result<HttpResponse, ConnectorError> {
    let mut world = world.lock();
    match (world.chance.number(0, 2), answer) {
        (0, Some(mut body)) => {
            let most = u32::try_from(body.len().saturating_sub(1)).unwrap_or(u32::MAX);
            // What is written here is ASCII.
            body.truncate(world.chance.number(0, most) as usize);
            Ok(response(200, service, body))
        }
        (1, _) => {
            let status = world.chance.pick(&[500, 502, 503, 504]);
            Ok(response(status, service, "<html><body>Service Unavailable</body></html>".into()))
        }
        _ => Err(ConnectorError::io("connection reset by peer".into())),
    }
}

fn refusal(service: Service, call: &Call, error: &ApiError) -> HttpResponse {
    let (status, code) = match (service, error) {
        (Service::Ec2, ApiError::Throttled) => (503, "RequestLimitExceeded"),
        (Service::Ecs, ApiError::Throttled) => (400, "ThrottlingException"),
        (Service::Ec2, ApiError::Denied) => (403, "UnauthorizedOperation"),
        (Service::Ecs, ApiError::Denied) => (400, "AccessDeniedException"),
        (_, ApiError::NoCapacity) => (500, "InsufficientInstanceCapacity"),
        (_, ApiError::OtherParameters) => (400, "IdempotentParameterMismatch"),
        (Service::Ec2, ApiError::NotFound) => (400, "InvalidInstanceID.NotFound"),
        (Service::Ecs, ApiError::NotFound) => (400, "InvalidParameterException"),
        (_, ApiError::Refused(_) | ApiError::ConnectionClosed) => (500, "InternalError"),
    };
    let message = if matches!(call, Call::StopTask { .. }) { "The referenced task was not found." } else { "no" };
    let body = match service {
        Service::Ec2 => format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code>\
             <Message>{message}</Message></Error></Errors><RequestID>1</RequestID></Response>"
        ),
        Service::Ecs => format!("{{\"__type\":\"{code}\",\"message\":\"{message}\"}}"),
    };
    response(status, service, body)
}

fn response(status: u16, service: Service, body: String) -> HttpResponse {
    let content_type = match service {
        Service::Ec2 => "text/xml;charset=UTF-8",
        Service::Ecs => "application/x-amz-json-1.1",
    };
    let status = StatusCode::try_from(status).expect("an HTTP status");
    let mut response = HttpResponse::new(status, SdkBody::from(body));
    response.headers_mut().insert("content-type", content_type);
    response
}
