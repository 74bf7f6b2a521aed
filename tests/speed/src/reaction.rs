//! From the request that crosses the upscale margin to the launch that leaves.

use tokio::time::{Duration, sleep};

use crate::Result;
use crate::client::Client;
use crate::cloud::micros;
use crate::process::Part;
use crate::verdict::Verdict;

/// Fleets that are tried, one after the other.
const TRIALS: usize = 15;

/// Places on the one server, of which the margin wants four.
const CAPACITY: u32 = 10;
const UP_TO_THE_MARGIN: u32 = 6;

pub(crate) async fn measure() -> Result<Vec<Verdict>> {
    let mut games = Part::start(&["games", "1", &CAPACITY.to_string()])?;
    games.says("plays").await?;
    let mut took = Vec::new();
    for _ in 0..TRIALS {
        took.push(trial().await?);
    }
    games.end().await?;
    took.sort_unstable_by(f64::total_cmp);
    Ok(vec![Verdict::limit("from the request to the launch, median", took[took.len() / 2], "ms", 5.0)])
}

async fn trial() -> Result<f64> {
    let mut manager = Part::start(&["manager", "1", &CAPACITY.to_string()])?;
    let at = manager.says("listens").await?;
    // Until the server was asked for its health, and the scaler has nothing more to decide.
    sleep(Duration::from_secs(2)).await;
    let mut client = Client::connect(&at).await?;
    for _ in 0..UP_TO_THE_MARGIN {
        client.ask().await?;
    }
    let asked_at = micros();
    client.ask().await?;
    let launched_at: u128 = manager.says("launches").await?.parse()?;
    manager.end().await?;
    Ok(launched_at.saturating_sub(asked_at) as f64 / 1e3)
}
