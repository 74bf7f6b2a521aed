//! Whose the credentials are.

use actors::ports::CloudError;

use super::unanswered::unanswered;
use super::{Doctor, Read};
use crate::cloud::ecs::errors::{failed, incomplete};
use crate::doctor::Finding;

pub(super) const CHECK: &str = "credentials";

/// Whoever AWS takes the manager for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Identity {
    pub(super) arn: String,
    pub(super) account: String,
}

impl Identity {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub(super) fn partition(&self) -> &str {
        self.arn.split(':').nth(1).unwrap_or("aws")
    }
}

impl Doctor {
    pub(super) async fn identity(&self) -> Read<Identity> {
        let answer = self.sts.get_caller_identity().send().await.map_err(failed("GetCallerIdentity"))?;
        match (answer.arn, answer.account) {
            (Some(arn), Some(account)) => Ok(Identity { arn, account }),
            _ => Err(incomplete("GetCallerIdentity", "Arn")),
        }
    }
}

pub(super) fn judge(identity: &Read<Identity>) -> Finding {
    match identity {
        Ok(identity) => Finding::pass(CHECK, format!("{} of account {}", identity.arn, identity.account)),
        Err(error @ CloudError::Denied(_)) => Finding::fail(
            CHECK,
            error.to_string(),
            "give the machine an instance profile (deploy/iam-policy.json), or set AWS_PROFILE, or AWS_ACCESS_KEY_ID \
             and AWS_SECRET_ACCESS_KEY; keys that were given are wrong or have expired",
        ),
        Err(error) => unanswered(CHECK, "sts:GetCallerIdentity", error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn who_it_is_is_told() {
        let arn = "arn:aws-cn:sts::123456789012:assumed-role/manager/i-1";
        let identity = Identity { arn: arn.into(), account: "123456789012".into() };
        assert_eq!(identity.partition(), "aws-cn");
        assert!(judge(&Ok(identity)).found.contains(arn));
    }

    #[test]
    fn without_credentials_nothing_goes_and_without_an_answer_nothing_is_known() {
        assert_eq!(judge(&Err(CloudError::Denied("none".into()))).result, Verdict::Fail);
        // STS may be out of reach where ECS and EC2 are not: each has a VPC endpoint of its own.
        assert_eq!(judge(&Err(CloudError::Unanswered("timeout".into()))).result, Verdict::Unknown);
    }
}
