//! When it grows and shrinks, and what may be changed of that while it runs.

use std::ops::RangeInclusive;

use actors::fleet_supervisor::Limits;
use actors::model::Snapshot;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::{Kind, Problem, Whole};

/// When the fleet grows and shrinks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub(in crate::operations) struct Margins {
    /// With fewer free and pending places than this it grows.
    upscale_margin: u32,
    /// With more free places than this it shrinks.
    downscale_margin: u32,
    /// Players that a fresh server takes.
    server_capacity: u32,
    /// So many servers there are at least.
    min_servers: u32,
    /// So many at most.
    max_servers: u32,
    /// They are not those of the configuration.
    changed: bool,
    /// Those of the configuration.
    configured: Configured,
}

/// What a policy would do with the fleet as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub(super) struct Shadow {
    /// Its name.
    #[schema(example = "lead-time")]
    policy: &'static str,
    /// Its upscale margin.
    upscale_margin: u32,
    /// Its downscale margin.
    downscale_margin: u32,
    /// Servers that it would launch now.
    launches: u32,
    /// Servers that it would send to standby now.
    standby: u32,
}

impl From<actors::model::Shadow> for Shadow {
    fn from(shadow: actors::model::Shadow) -> Self {
        let actors::model::Shadow { policy, margins, launches, standby } = shadow;
        Self { policy, upscale_margin: margins.upscale, downscale_margin: margins.downscale, launches, standby }
    }
}

/// What the configuration has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
struct Configured {
    upscale_margin: u32,
    downscale_margin: u32,
    min_servers: u32,
    max_servers: u32,
}

/// Other margins, where they are given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::operations) struct MarginsChange {
    /// With fewer free and pending places than this the fleet grows.
    #[schema(value_type = Option<u32>, minimum = 0, maximum = 1_000_000)]
    upscale_margin: Option<Whole>,
    /// With more free places than this it shrinks. More than upscale_margin + server_capacity.
    #[schema(value_type = Option<u32>, minimum = 0, maximum = 1_000_000)]
    downscale_margin: Option<Whole>,
    /// So many servers there are at least.
    #[schema(value_type = Option<u32>, minimum = 0, maximum = 10_000)]
    min_servers: Option<Whole>,
    /// So many at most.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 10_000)]
    max_servers: Option<Whole>,
}

impl Margins {
    pub(in crate::operations) fn new(snapshot: &Snapshot) -> Self {
        let Snapshot { policy, margins, configured, .. } = snapshot;
        Self {
            upscale_margin: margins.upscale,
            downscale_margin: margins.downscale,
            server_capacity: policy.server_capacity,
            min_servers: policy.min_servers,
            max_servers: policy.max_servers,
            changed: policy != configured,
            configured: Configured {
                upscale_margin: configured.upscale_margin,
                downscale_margin: configured.downscale_margin,
                min_servers: configured.min_servers,
                max_servers: configured.max_servers,
            },
        }
    }
}

impl TryFrom<MarginsChange> for Limits {
    type Error = Problem;

    /// Within the limits of the configuration: they keep sums of places within their type.
    fn try_from(change: MarginsChange) -> Result<Self, Problem> {
        let within = |name: &str, given: Option<Whole>, allowed: RangeInclusive<u32>| match given {
            Some(Whole(number)) if !allowed.contains(&number) => {
                let detail = format!("{name} is {number}: it is {} to {}", allowed.start(), allowed.end());
                Err(Problem::new(Kind::Unprocessable, detail))
            }
            _ => Ok(given.map(|Whole(number)| number)),
        };
        Ok(Self {
            upscale_margin: within("upscale_margin", change.upscale_margin, 0..=1_000_000)?,
            downscale_margin: within("downscale_margin", change.downscale_margin, 0..=1_000_000)?,
            min_servers: within("min_servers", change.min_servers, 0..=10_000)?,
            max_servers: within("max_servers", change.max_servers, 1..=10_000)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_at_run_time_have_the_limits_of_the_configuration() {
        for (body, refused) in [
            (
                r#"{"upscale_margin": 1000000, "downscale_margin": 1000000, "min_servers": 0, "max_servers": 10000}"#,
                None,
            ),
            (r#"{"upscale_margin": 0, "downscale_margin": 0, "min_servers": 10000, "max_servers": 1}"#, None),
            (r#"{"upscale_margin": 1000001}"#, Some("upscale_margin is 1000001: it is 0 to 1000000")),
            (r#"{"downscale_margin": 1000001}"#, Some("downscale_margin is 1000001: it is 0 to 1000000")),
            (r#"{"min_servers": 10001}"#, Some("min_servers is 10001: it is 0 to 10000")),
            (r#"{"max_servers": 10001}"#, Some("max_servers is 10001: it is 1 to 10000")),
            (r#"{"max_servers": 0}"#, Some("max_servers is 0: it is 1 to 10000")),
        ] {
            let change: MarginsChange = serde_json::from_str(body).expect("margins");
            let told = Limits::try_from(change).err().map(|problem| problem.response());
            let told = told.map(|response| String::from_utf8_lossy(response.body()).into_owned());
            assert_eq!(told.is_some(), refused.is_some(), "{body}: {told:?}");
            assert!(told.zip(refused).is_none_or(|(told, refused)| told.contains(refused)), "{body}");
        }
    }
}
