//! The names by which the fleet knows its own again in AWS. The operator's permissions and bills can build on them.

use actors::model::{InstanceId, LaunchOrdinal};

/// The tag on each instance and volume that the fleet launched: the fleet's name. An instance without it is never
/// terminated.
pub const FLEET_TAG: &str = "playlivechess-manager:fleet";

/// The tag on each instance and volume that the fleet launched: the ordinal of the launch, a decimal number.
pub const LAUNCH_TAG: &str = "playlivechess-manager:launch";

/// The tag on a task: `standby`, or `available` for one that was taken back. None on a task that never was on standby.
pub const ROLE_TAG: &str = "playlivechess-manager:role";

/// The client token of a launch. EC2 takes up to 64 ASCII characters; a fleet's name has at most 32.
pub(super) fn launch_token(fleet: &str, ordinal: LaunchOrdinal) -> String {
    format!("{fleet}-launch-{ordinal}")
}

/// The client token of a placement. ECS takes up to 64 characters from `!` to `~`.
pub(super) fn place_token(fleet: &str, instance: &InstanceId, attempt: u32) -> String {
    format!("{fleet}-{instance}-{attempt}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST_FLEET: &str = "a-fleet-name-of-32-characters-ok";
    const LIMIT: usize = 64;

    #[test]
    fn the_longest_tokens_are_within_the_limit_of_aws() {
        assert_eq!(LONGEST_FLEET.len(), 32);
        let launch = launch_token(LONGEST_FLEET, LaunchOrdinal(u64::MAX));
        let place = place_token(LONGEST_FLEET, &InstanceId::new("i-0123456789abcdef0"), u32::MAX);
        for token in [launch, place] {
            assert!(token.len() <= LIMIT, "{token} has {} characters", token.len());
            assert!(token.bytes().all(|byte| byte.is_ascii_graphic()), "{token}");
        }
    }

    #[test]
    fn one_intent_has_one_token_and_another_intent_another() {
        let instance = InstanceId::new("i-1");
        assert_eq!(launch_token("chess", LaunchOrdinal(7)), "chess-launch-7");
        assert_eq!(place_token("chess", &instance, 0), "chess-i-1-0");
        assert_ne!(place_token("chess", &instance, 0), place_token("chess", &instance, 1));
    }
}
