//! Asks a game server for its health over HTTP: `GET /health/`.

use std::error::Error;
use std::net::SocketAddr;

use actors::model::{HealthAnswer, MAX_REPORTED_CAPACITY};
use actors::ports::{HealthProbe, ProbeError};
use async_trait::async_trait;
use reqwest::redirect::Policy;
use serde::Deserialize;

/// The contract's body has some 50 bytes; whoever sends more than this is not read to the end.
const MAX_BODY: usize = 16 * 1024;

/// The probe; one for all game servers, so that connections are kept.
pub struct HttpProbe {
    client: reqwest::Client,
}

/// `{"available_capacity": 7, "ready_to_close": false}`; what else a server says is its own business.
#[derive(Deserialize)]
struct Body {
    available_capacity: u32,
    ready_to_close: bool,
}

impl HttpProbe {
    /// A probe that follows no redirect and uses no proxy: it asks the server itself, or nobody.
    pub fn new() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build()?;
        Ok(Self { client })
    }
}

#[async_trait]
impl HealthProbe for HttpProbe {
    async fn ask(&self, target: SocketAddr) -> Result<HealthAnswer, ProbeError> {
        let url = format!("http://{target}/health/");
        let mut response = self.client.get(url).send().await.map_err(|error| unreachable(&error))?;
        if !response.status().is_success() {
            return Err(ProbeError::Unreadable(format!("status {}", response.status())));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(ProbeError::Unreadable(format!("more than {MAX_BODY} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        parse(&body)
    }
}

fn parse(body: &[u8]) -> Result<HealthAnswer, ProbeError> {
    let Body { available_capacity, ready_to_close } =
        serde_json::from_slice(body).map_err(|error| ProbeError::Unreadable(error.to_string()))?;
    if available_capacity > MAX_REPORTED_CAPACITY {
        let message = format!("an available_capacity of {available_capacity} is above {MAX_REPORTED_CAPACITY}");
        return Err(ProbeError::Unreadable(message));
    }
    Ok(HealthAnswer { available_capacity, ready_to_close })
}

/// The innermost cause says what happened: "Connection refused", not "error sending request".
fn unreachable(error: &reqwest::Error) -> ProbeError {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    ProbeError::Unreachable(cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_is_read() {
        let answer = parse(br#"{"available_capacity": 7, "ready_to_close": false, "version": "1.2"}"#);
        assert_eq!(answer, Ok(HealthAnswer { available_capacity: 7, ready_to_close: false }));
    }

    #[test]
    fn what_is_not_the_contract_is_no_answer() {
        for body in [
            "",
            "null",
            "ok",
            "{}",
            r#"{"available_capacity": 7}"#,
            r#"{"available_capacity": -1, "ready_to_close": true}"#,
            r#"{"available_capacity": "7", "ready_to_close": true}"#,
            r#"{"available_capacity": 7, "ready_to_close": "no"}"#,
            r#"{"available_capacity": 65536, "ready_to_close": true}"#,
            r#"{"available_capacity": 4294967296, "ready_to_close": true}"#,
        ] {
            assert!(matches!(parse(body.as_bytes()), Err(ProbeError::Unreadable(_))), "{body}");
        }
    }
}
