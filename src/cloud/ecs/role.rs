//! The role of a task, kept as a tag on it, where a restarted manager finds it.

use actors::model::{Role, TaskId};
use actors::ports::CloudError;
use aws_sdk_ecs::types::{Tag, Task};

use super::errors::failed;
use super::{EcsCloud, ROLE_TAG};

impl EcsCloud {
    /// Puts the role on the task.
    pub(super) async fn tag(&self, task: &TaskId, role: Role) -> Result<(), CloudError> {
        let tag = Tag::builder().key(ROLE_TAG).value(role.name()).build();
        let call = self.ecs.tag_resource().resource_arn(task.as_str()).tags(tag);
        self.budgets.tags.spend(0, async { call.send().await.map_err(failed("TagResource")) }).await?;
        Ok(())
    }
}

/// The role recorded on a task. No tag, or one that nobody here wrote, means available.
pub(super) fn recorded(task: &Task) -> Role {
    let tag = task.tags().iter().find(|tag| tag.key() == Some(ROLE_TAG));
    match tag.and_then(Tag::value) {
        Some(value) if value == Role::Standby.name() => Role::Standby,
        _ => Role::Available,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_read_as_it_was_written() {
        let tagged = |value: &str| Task::builder().tags(Tag::builder().key(ROLE_TAG).value(value).build()).build();
        assert_eq!(recorded(&tagged("standby")), Role::Standby);
        assert_eq!(recorded(&tagged("available")), Role::Available);
        assert_eq!(recorded(&tagged("Standby?")), Role::Available);
        assert_eq!(recorded(&Task::builder().build()), Role::Available);
        let others = Task::builder().tags(Tag::builder().key("role").value("standby").build()).build();
        assert_eq!(recorded(&others), Role::Available);
    }
}
