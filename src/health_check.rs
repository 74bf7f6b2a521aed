//! Asking a manager on this machine how it is: what a container's health check runs, where there is no other client.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

/// How long the manager may take, which answers within `http.answer_timeout` otherwise.
const LIMIT: Duration = Duration::from_secs(5);

/// What is asked, and where.
#[derive(Args, Debug)]
pub struct HealthCheckArgs {
    /// Where the manager listens, by default as configured, e.g. 127.0.0.1:8000.
    #[arg(long, value_name = "ADDR")]
    pub address: Option<SocketAddr>,
    /// Ask whether it has seen all of the fleet, too.
    #[arg(long)]
    pub ready: bool,
}

/// Asks, and says what is wrong if anything is.
pub async fn run(listen: SocketAddr, ready: bool) -> ExitCode {
    let url = format!("http://{}/{}", reached_at(listen), if ready { "readyz" } else { "livez" });
    match ask(&url).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{url}: {reason}");
            ExitCode::FAILURE
        }
    }
}

async fn ask(url: &str) -> Result<(), String> {
    let client = reqwest::Client::builder().no_proxy().timeout(LIMIT).build().map_err(|error| error.to_string())?;
    let answer = client.get(url).send().await.map_err(|error| format!("no answer: {error}"))?;
    let status = answer.status();
    if status.is_success() { Ok(()) } else { Err(format!("{status}: {}", answer.text().await.unwrap_or_default())) }
}

/// Who listens on every address of this machine is asked at its own.
pub(crate) const fn reached_at(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
