//! The revision of the task definition that the fleet is to run, and what became of its rollout, kept as a tag on the
//! revision itself: a restarted manager finds it there, and so does the operator.

use actors::model::{Revision, RolloutState, Target};
use actors::ports::CloudError;
use aws_sdk_ecs::types::{SortOrder, Tag, TaskDefinition, TaskDefinitionField, TaskDefinitionStatus};

use super::EcsCloud;
use super::errors::{failed, incomplete};
use super::names::rollout_tag;

/// How many revisions back those are looked for that were not rolled back: a call each, once for each revision that is
/// to run.
const BACK: usize = 20;

/// The most that one call lists.
const PAGE: i32 = 100;

impl EcsCloud {
    /// The revision that the settings name: the newest active one of a family, or the one that is pinned.
    pub async fn target(&self) -> Result<Target, CloudError> {
        let (definition, state) = self.revision(&self.settings.task_definition).await?;
        let revision = name_of(&definition)?;
        let earlier = match (state, self.earlier(&definition, &revision).await) {
            // What was rolled back must not stand in for what is not known.
            (RolloutState::RolledBack, earlier) => earlier?,
            (RolloutState::Active | RolloutState::Paused, earlier) => earlier.unwrap_or_else(|error| {
                tracing::warn!(%revision, %error, "which revisions came before it cannot be read");
                Vec::new()
            }),
        };
        Ok(Target { revision, state, earlier })
    }

    /// Puts the state of its rollout on a revision.
    pub(super) async fn mark(&self, revision: &Revision, state: RolloutState) -> Result<(), CloudError> {
        let definition = self.known_definition(revision.as_str()).await?;
        self.tag_revision(definition.task_definition_arn().ok_or_else(no_arn)?, state).await
    }

    /// The same by its ARN.
    pub(super) async fn tag_revision(&self, arn: &str, state: RolloutState) -> Result<(), CloudError> {
        let tag = Tag::builder().key(rollout_tag(&self.settings)).value(state.name()).build();
        let call = self.ecs.tag_resource().resource_arn(arn).tags(tag);
        self.budgets.tags.spend(0, async { call.send().await.map_err(failed("TagResource")) }).await?;
        Ok(())
    }

    /// A task definition, and what became of its rollout in this fleet.
    async fn revision(&self, name: &str) -> Result<(TaskDefinition, RolloutState), CloudError> {
        let call = self.ecs.describe_task_definition().task_definition(name).include(TaskDefinitionField::Tags);
        let answer = call.send().await.map_err(failed("DescribeTaskDefinition"))?;
        let state = recorded(answer.tags(), &rollout_tag(&self.settings));
        let definition =
            answer.task_definition.ok_or_else(|| incomplete("DescribeTaskDefinition", "taskDefinition"))?;
        Ok((definition, state))
    }

    /// The active revisions before this one that were not rolled back, the newest first. They are looked for once: what
    /// an operator thinks better of later is not worth a call or more with each look.
    async fn earlier(&self, definition: &TaskDefinition, revision: &Revision) -> Result<Vec<Revision>, CloudError> {
        if let Some((_, found)) = self.earlier_found().as_ref().filter(|(of, _)| of == revision) {
            return Ok(found.clone());
        }
        let found = self.find_earlier(definition).await?;
        *self.earlier_found() = Some((revision.clone(), found.clone()));
        Ok(found)
    }

    async fn find_earlier(&self, definition: &TaskDefinition) -> Result<Vec<Revision>, CloudError> {
        let family = definition.family().ok_or_else(|| incomplete("DescribeTaskDefinition", "family"))?;
        let listed = self.list_revisions(family).await?;
        // Families that only begin so are listed too.
        let older = listed.iter().filter_map(|arn| {
            let (of, number) = short(arn).rsplit_once(':')?;
            let is_older = of == family && number.parse::<i32>().ok()? < definition.revision();
            is_older.then_some(arn)
        });
        let mut earlier = Vec::new();
        for arn in older.take(BACK) {
            let (definition, state) = self.revision(arn).await?;
            if state != RolloutState::RolledBack {
                earlier.push(name_of(&definition)?);
            }
            if earlier.len() == Target::EARLIER {
                break;
            }
        }
        Ok(earlier)
    }

    /// The ARNs of the last active revisions of families that begin so, the newest first.
    pub(super) async fn list_revisions(&self, family: &str) -> Result<Vec<String>, CloudError> {
        let call = self.ecs.list_task_definitions().family_prefix(family).status(TaskDefinitionStatus::Active);
        let listed =
            call.sort(SortOrder::Desc).max_results(PAGE).send().await.map_err(failed("ListTaskDefinitions"))?;
        Ok(listed.task_definition_arns.unwrap_or_default())
    }
}

/// The revision that a task, or a definition, names by its ARN.
pub(super) fn revision_of(arn: &str) -> Revision {
    Revision::new(short(arn))
}

/// `family:revision` of `arn:aws:ecs:…:task-definition/family:revision`.
fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

fn name_of(definition: &TaskDefinition) -> Result<Revision, CloudError> {
    definition.task_definition_arn().map(revision_of).ok_or_else(no_arn)
}

fn no_arn() -> CloudError {
    incomplete("DescribeTaskDefinition", "taskDefinitionArn")
}

/// No tag, or one that nobody here wrote, means that the fleet goes on to the revision.
fn recorded(tags: &[Tag], key: &str) -> RolloutState {
    let tag = tags.iter().find(|tag| tag.key() == Some(key)).and_then(Tag::value);
    let known = [RolloutState::Paused, RolloutState::RolledBack];
    known.into_iter().find(|state| tag == Some(state.name())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_as_it_was_written_and_only_where_it_is_of_this_fleet() {
        let tags = |key: &str, value: &str| [Tag::builder().key(key).value(value).build()];
        for state in [RolloutState::Active, RolloutState::Paused, RolloutState::RolledBack] {
            assert_eq!(recorded(&tags("mine", state.name()), "mine"), state);
        }
        assert_eq!(recorded(&tags("another's", "paused"), "mine"), RolloutState::Active);
        assert_eq!(recorded(&tags("mine", "Paused?"), "mine"), RolloutState::Active);
        assert_eq!(recorded(&[], "mine"), RolloutState::Active);
    }

    #[test]
    fn a_revision_is_named_as_people_name_it() {
        let arn = "arn:aws:ecs:ap-south-1:123456789012:task-definition/LaunchGameserver:7";
        assert_eq!(revision_of(arn), Revision::new("LaunchGameserver:7"));
    }
}
