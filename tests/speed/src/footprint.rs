//! What a manager takes before anything happens.

use std::time::{Duration, Instant};

use crate::Result;
use crate::process::Part;
use crate::verdict::{Goal, Verdict};

const TRIALS: usize = 7;

pub(crate) async fn measure() -> Result<Vec<Verdict>> {
    let (manager, memory) = started(&["manager", "0", "10"]).await?;
    let (reference, bare) = started(&["reference"]).await?;
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    Ok(vec![
        Verdict::ratio("from exec to listening", millis(manager), millis(reference), "ms", Goal::None),
        Verdict::ratio("resident, idle", mebibytes(memory), mebibytes(bare), "MiB", Goal::None),
    ])
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

/// How long the start took at its fastest, and the memory then.
async fn started(role: &[&str]) -> Result<(Duration, u64)> {
    let (mut fastest, mut memory) = (Duration::MAX, 0);
    for _ in 0..TRIALS {
        let begun_at = Instant::now();
        let mut part = Part::start(role)?;
        part.says("listens").await?;
        fastest = fastest.min(begun_at.elapsed());
        memory = part.usage()?.memory;
    }
    Ok((fastest, memory))
}
