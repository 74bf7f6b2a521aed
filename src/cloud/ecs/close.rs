//! Ending game servers: their tasks are stopped, their instances terminated. What is gone already is no error.

use actors::model::{Doomed, TaskId};
use actors::ports::CloudError;
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ecs::operation::stop_task::StopTaskError;
use futures_util::{StreamExt, stream};
use tokio::join;

use super::budgets::FOR_PLACEMENTS;
use super::errors::failed;
use super::{AT_ONCE, EcsCloud};

/// The most instances that one call terminates: AWS advises against larger batches.
const BATCH: usize = 100;

/// What AWS shows the operator as the reason of a stopped task.
const REASON: &str = "playlivechess-manager: this game server is closed";

impl EcsCloud {
    /// Does all that can be done, and tells the first of the errors.
    pub(super) async fn end(&self, doomed: &[Doomed]) -> Result<(), CloudError> {
        let tasks: Vec<TaskId> = doomed.iter().filter_map(|doomed| doomed.task.clone()).collect();
        let stops = stream::iter(tasks).map(|task| self.stop_task(task)).buffer_unordered(AT_ONCE);
        let instances: Vec<String> =
            doomed.iter().filter_map(|doomed| doomed.instance.as_ref()).map(ToString::to_string).collect();
        // Side by side: where one server's stop is not answered, the instances of the others go all the same.
        let (stopped, terminated) = join!(stops.collect::<Vec<_>>(), self.terminate(instances));
        stopped.into_iter().chain([terminated]).collect()
    }

    /// One that is gone is stopped.
    pub(super) async fn stop_task(&self, task: TaskId) -> Result<(), CloudError> {
        let call = self.ecs.stop_task().cluster(&self.settings.cluster).task(task.as_str()).reason(REASON);
        let stop = async {
            match call.send().await {
                Err(error) if !is_gone(&error) => Err(failed("StopTask")(error)),
                _ => Ok(()),
            }
        };
        self.budgets.tasks.spend(FOR_PLACEMENTS, stop).await
    }

    async fn terminate(&self, instances: Vec<String>) -> Result<(), CloudError> {
        let mut batches: Vec<Vec<String>> = instances.chunks(BATCH).map(<[String]>::to_vec).collect();
        let mut result = Ok(());
        while let Some(mut batch) = batches.pop() {
            let call = self.ec2.terminate_instances().set_instance_ids(Some(batch.clone()));
            let call = async { call.send().await.map_err(failed("TerminateInstances")) };
            match self.budgets.terminations.spend(0, call).await {
                Ok(_) => {}
                // One that is gone, or protected, makes EC2 refuse them all: halve until it stands alone.
                Err(CloudError::NotFound(_) | CloudError::Refused(_)) if batch.len() > 1 => {
                    batches.push(batch.split_off(batch.len() / 2));
                    batches.push(batch);
                }
                Err(CloudError::NotFound(_)) => {}
                Err(error) => result = result.and(Err(error)),
            }
        }
        result
    }
}

/// `InvalidParameterException: The referenced task was not found.` has no code of its own. A cluster that is not found
/// is another matter.
fn is_gone(error: &SdkError<StopTaskError>) -> bool {
    let message = error.message().unwrap_or_default().to_ascii_lowercase();
    error.code() == Some("InvalidParameterException") && message.contains("task was not found")
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::config::http::HttpResponse;
    use aws_sdk_ecs::error::ErrorMetadata;

    use super::*;

    #[test]
    fn only_a_missing_task_is_gone() {
        for (code, message, gone) in [
            ("InvalidParameterException", "The referenced task was not found.", true),
            ("InvalidParameterException", "Invalid id", false),
            ("ClusterNotFoundException", "Cluster not found.", false),
            ("AccessDeniedException", "not authorized", false),
        ] {
            let metadata = ErrorMetadata::builder().code(code).message(message).build();
            let raw = HttpResponse::new(400.try_into().expect("an HTTP status"), "".into());
            let error = SdkError::service_error(StopTaskError::generic(metadata), raw);
            assert_eq!(is_gone(&error), gone, "{code}: {message}");
        }
    }
}
