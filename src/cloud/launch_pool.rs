//! The pools that launches fall through: what each one has other than the launch template says.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

/// More would keep a launch falling for longer than a look at the cloud takes: EC2 refills `RunInstances` by two calls
/// a second.
const MOST: usize = 10;

/// How a pool is written that is as the launch template says.
const AS_IT_IS: &str = "template";

/// A pool. What it does not name is as the launch template says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LaunchPool {
    /// The type of its instances, such as `c7i.large`.
    pub instance_type: Option<String>,
    /// The subnet of its instances, and with it their zone.
    pub subnet: Option<String>,
    /// Its instances are spot instances.
    pub spot: bool,
}

/// The pools in the order in which they are asked.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct LaunchPools(Vec<LaunchPool>);

/// What is wrong with a list of pools.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum LaunchPoolsError {
    /// Nothing between two semicolons.
    #[error("pool {0} names nothing: \"template\" stands for the launch template as it is")]
    Empty(usize),
    /// A word that means nothing.
    #[error("{word:?} of pool {pool} is neither an instance type nor a subnet, \"spot\" or \"template\"")]
    Unknown {
        /// Which pool, from one.
        pool: usize,
        /// The word.
        word: String,
    },
    /// A launch template's spot options cannot be taken back by who launches from it.
    #[error(
        "pool {0} is to be on-demand: leave the word out, for that is what a launch template without spot options \
         gives, and one with them gives nothing else"
    )]
    OnDemand(usize),
    /// Two words for one thing.
    #[error("pool {0} names one thing twice")]
    Twice(usize),
    /// "template" is a pool by itself.
    #[error("pool {0} is \"template\" and something else")]
    NotAsItIs(usize),
    /// Two pools alike.
    #[error("pools {0} and {1} are the same")]
    Same(usize, usize),
    /// Too many.
    #[error("{0} pools, and there may be {MOST} at most")]
    TooMany(usize),
}

impl Default for LaunchPools {
    /// The launch template as it is.
    fn default() -> Self {
        Self(vec![LaunchPool::default()])
    }
}

impl LaunchPools {
    /// How many: one at least.
    pub fn count(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// Whether one of them has a subnet of its own.
    pub fn name_subnets(&self) -> bool {
        self.0.iter().any(|pool| pool.subnet.is_some())
    }

    /// The pool at this place of the list.
    pub fn get(&self, place: u32) -> Option<&LaunchPool> {
        self.0.get(usize::try_from(place).ok()?)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &LaunchPool> {
        self.0.iter()
    }

    /// All their instances are in one subnet, or where the launch template puts them. "The request uses zonal
    /// idempotency […] if you implicitly specify an Availability Zone using the SubnetId parameter": a client token is
    /// one launch in each zone, and only pools of one subnet are sure to be of one.
    pub fn share_a_subnet(&self) -> bool {
        self.0.windows(2).all(|pair| pair[0].subnet == pair[1].subnet)
    }
}

impl FromStr for LaunchPools {
    type Err = LaunchPoolsError;

    fn from_str(text: &str) -> Result<Self, LaunchPoolsError> {
        let mut pools: Vec<LaunchPool> = Vec::new();
        for (number, words) in (1..).zip(text.split(';')) {
            let pool = pool(number, words)?;
            if let Some(same) = pools.iter().position(|known| *known == pool) {
                return Err(LaunchPoolsError::Same(same + 1, number));
            }
            pools.push(pool);
        }
        if pools.len() > MOST { Err(LaunchPoolsError::TooMany(pools.len())) } else { Ok(Self(pools)) }
    }
}

impl TryFrom<String> for LaunchPools {
    type Error = LaunchPoolsError;

    fn try_from(text: String) -> Result<Self, LaunchPoolsError> {
        text.parse()
    }
}

fn pool(number: usize, words: &str) -> Result<LaunchPool, LaunchPoolsError> {
    let mut pool = LaunchPool::default();
    let words: Vec<&str> = words.split_whitespace().collect();
    if words.is_empty() {
        return Err(LaunchPoolsError::Empty(number));
    }
    if words.contains(&AS_IT_IS) {
        return if words.len() == 1 { Ok(pool) } else { Err(LaunchPoolsError::NotAsItIs(number)) };
    }
    for word in words {
        let had_it = match word {
            "spot" => std::mem::replace(&mut pool.spot, true),
            "on-demand" => return Err(LaunchPoolsError::OnDemand(number)),
            subnet if is_subnet(subnet) => pool.subnet.replace(subnet.to_owned()).is_some(),
            kind if is_instance_type(kind) => pool.instance_type.replace(kind.to_owned()).is_some(),
            word => return Err(LaunchPoolsError::Unknown { pool: number, word: word.to_owned() }),
        };
        if had_it {
            return Err(LaunchPoolsError::Twice(number));
        }
    }
    Ok(pool)
}

/// `subnet-` and hexadecimal digits.
fn is_subnet(word: &str) -> bool {
    let digits = word.strip_prefix("subnet-").unwrap_or_default();
    !digits.is_empty() && digits.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

/// A family and a size with a dot between them: `c7i.large`, `u-3tb1.56xlarge`.
fn is_instance_type(word: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    word.split_once('.').is_some_and(|(family, size)| is_part(family) && is_part(size))
}

impl fmt::Display for LaunchPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [self.instance_type.as_deref(), self.subnet.as_deref(), self.spot.then_some("spot")];
        let words: Vec<&str> = words.into_iter().flatten().collect();
        f.write_str(if words.is_empty() { AS_IT_IS.to_owned() } else { words.join(" ") }.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_are_read_as_they_are_shown() {
        let text = "template; c7a.large; c7i.large subnet-0abc; u-3tb1.56xlarge subnet-0abc spot; spot";
        let pools: LaunchPools = text.parse().expect("good pools");
        let shown: Vec<String> = pools.iter().map(ToString::to_string).collect();
        assert_eq!(shown.join("; "), text);
        assert_eq!((pools.count(), pools.get(4).map(|pool| pool.spot), pools.get(5)), (5, Some(true), None));
        assert_eq!(
            "spot  subnet-1 c7i.large".parse(),
            "c7i.large subnet-1 spot".parse::<LaunchPools>(),
            "in any order"
        );
        assert_eq!("template".parse(), Ok(LaunchPools::default()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, wrong) in [
            ("", "pool 1 names nothing"),
            ("c7i.large;", "pool 2 names nothing"),
            ("c7i.large; c7a_large", "\"c7a_large\" of pool 2"),
            ("c7i.large, c7a.large", "\"c7i.large,\" of pool 1"),
            ("subnet-xyz", "\"subnet-xyz\" of pool 1"),
            ("Spot", "\"Spot\" of pool 1"),
            ("spot; on-demand", "pool 2 is to be on-demand"),
            ("c7i.large c7a.large", "pool 1 names one thing twice"),
            ("spot spot", "pool 1 names one thing twice"),
            ("template spot", "pool 1 is \"template\" and something else"),
            ("c7i.large spot; template; spot c7i.large", "pools 1 and 3 are the same"),
            (&(1..=11).map(|n| format!("c{n}.large")).collect::<Vec<_>>().join(";"), "11 pools"),
        ] {
            let told = text.parse::<LaunchPools>().expect_err(text).to_string();
            assert!(told.contains(wrong), "{text}: {told}");
        }
    }

    #[test]
    fn only_pools_of_one_subnet_are_sure_to_be_of_one_zone() {
        for (text, share) in [
            ("template", true),
            ("c7i.large; c7a.large; spot", true),
            ("subnet-1; c7i.large subnet-1", true),
            ("subnet-1; subnet-2", false),
            ("template; subnet-2", false),
        ] {
            assert_eq!(text.parse::<LaunchPools>().expect("good pools").share_a_subnet(), share, "{text}");
        }
    }
}
