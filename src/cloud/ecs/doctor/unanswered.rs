//! A question that came to nothing: the answer may be good or bad.

use actors::ports::CloudError;

use crate::doctor::Finding;

/// What is told of a check that was not answered, for want of `action` or otherwise.
pub(super) fn unanswered(check: &'static str, action: &str, error: &CloudError) -> Finding {
    let mend = match error {
        CloudError::Denied(_) => format!("to have it checked, allow {action}; the manager itself does without"),
        CloudError::Throttled(_) | CloudError::Unanswered(_) => {
            "ask again; if it stays so, see that this machine reaches AWS (routes, proxies, VPC endpoints)".to_owned()
        }
        _ => "see what AWS says".to_owned(),
    };
    Finding::unknown(check, format!("not told: {error}"), mend)
}
