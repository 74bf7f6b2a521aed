//! The names by which the fleet knows its own again in AWS. The operator's permissions and bills can build on them.

use actors::model::{LaunchOrdinal, PlaceOrder};

use super::EcsSettings;

/// The tag on each instance and volume that the fleet launched: its cluster's name and its own, `cluster/fleet`. An instance without it is never
/// terminated.
pub const FLEET_TAG: &str = "playlivechess-manager:fleet";

/// The tag on each instance and volume that the fleet launched: the ordinal of the launch, a decimal number.
pub const LAUNCH_TAG: &str = "playlivechess-manager:launch";

/// The tag on each instance and volume that the fleet launched: how many instances its launch asked for. EC2 shows them
/// one by one, and a manager that starts has to know whether there are more to come.
pub const LAUNCH_SIZE_TAG: &str = "playlivechess-manager:launch-size";

/// The tag on a task: `standby`, or `available` for one that was taken back. None on a task that never was on standby.
pub const ROLE_TAG: &str = "playlivechess-manager:role";

/// The tag on a revision of the task definition: `paused`, `rolled-back`, or `active` for one that goes on. A family may
/// be that of several fleets, so each has a tag of its own, with its name and a hash of its cluster's at the end.
pub const ROLLOUT_TAG: &str = "playlivechess-manager:rollout";

/// The key of this fleet's [`ROLLOUT_TAG`].
pub(super) fn rollout_tag(settings: &EcsSettings) -> String {
    format!("{ROLLOUT_TAG}:{}-{:08x}", settings.fleet, fnv1a(settings.cluster_name()))
}

/// The client token of a launch. EC2 takes up to 64 ASCII characters; a fleet's name has at most 32, and a cluster's,
/// with 255, has to go in as a hash.
pub(super) fn launch_token(settings: &EcsSettings, ordinal: LaunchOrdinal) -> String {
    format!("{}-{:08x}-{ordinal}", settings.fleet, fnv1a(settings.cluster_name()))
}

/// The 32-bit FNV-1a hash (RFC 9923), which is the same in every build: a token has to outlive its manager.
fn fnv1a(text: &str) -> u32 {
    const OFFSET_BASIS: u32 = 0x811c_9dc5;
    const PRIME: u32 = 0x0100_0193;
    text.bytes().fold(OFFSET_BASIS, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(PRIME))
}

/// The client token of a placement. ECS takes up to 64 characters from `!` to `~`; a family, with 255, has to go in as a
/// hash.
pub(super) fn place_token(fleet: &str, order: &PlaceOrder) -> String {
    let PlaceOrder { instance, attempt, revision, .. } = order;
    format!("{fleet}-{instance}-{:08x}", fnv1a(&format!("{revision}/{attempt}")))
}

#[cfg(test)]
mod tests {
    use actors::model::{InstanceId, Revision, ServerId};

    use super::*;
    use crate::cloud::ecs::settings::tests::settings;

    const LONGEST_FLEET: &str = "a-fleet-name-of-32-characters-ok";
    const LIMIT: usize = 64;

    fn placement(instance: &str, attempt: u32, revision: &str) -> PlaceOrder {
        let (server, instance, revision) =
            (ServerId::from_number(1), InstanceId::new(instance), Revision::new(revision));
        PlaceOrder { server, instance, attempt, revision }
    }

    #[test]
    fn the_longest_tokens_are_within_the_limit_of_aws() {
        assert_eq!(LONGEST_FLEET.len(), 32);
        let launch = launch_token(&EcsSettings { fleet: LONGEST_FLEET.into(), ..settings() }, LaunchOrdinal(u64::MAX));
        let place = place_token(LONGEST_FLEET, &placement("i-0123456789abcdef0", u32::MAX, &"g".repeat(255)));
        for token in [launch, place] {
            assert!(token.len() <= LIMIT, "{token} has {} characters", token.len());
            assert!(token.bytes().all(|byte| byte.is_ascii_graphic()), "{token}");
        }
    }

    #[test]
    fn the_hash_is_the_published_one() {
        // Test vectors of the FNV reference code.
        assert_eq!([fnv1a(""), fnv1a("a"), fnv1a("foobar")], [0x811c_9dc5, 0xe40c_292c, 0xbf9c_f968]);
    }

    #[test]
    fn one_intent_has_one_token_and_another_intent_another() {
        assert_eq!(launch_token(&settings(), LaunchOrdinal(7)), "chess-933b5bde-7");
        let elsewhere = EcsSettings { cluster: "staging".into(), ..settings() };
        assert_ne!(launch_token(&elsewhere, LaunchOrdinal(7)), launch_token(&settings(), LaunchOrdinal(7)));
        let token = |instance, attempt, revision| place_token("chess", &placement(instance, attempt, revision));
        assert_eq!(token("i-1", 0, "game:7"), token("i-1", 0, "game:7"));
        let others = [token("i-2", 0, "game:7"), token("i-1", 1, "game:7"), token("i-1", 0, "game:8")];
        assert!(!others.contains(&token("i-1", 0, "game:7")), "{others:?}");
    }
}
