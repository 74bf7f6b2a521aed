//! Whether somebody else's tasks run on an instance: then it is never terminated.
//!
//! ECS shows two counts for each container instance. It documents `runningTasksCount` as the tasks whose *desired*
//! status is RUNNING, and `pendingTasksCount` as those that *are* PENDING. So a pending task may be in one of them or
//! in both, and a stopping one in one or in none. Where that makes no difference the counts tell; else ECS is asked
//! for the tasks there by name.

use aws_sdk_ecs::types::{ContainerInstance, DesiredStatus, Task};

/// What the counts tell of others' tasks on an instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Others {
    /// There are none.
    None,
    /// There are some.
    Some,
    /// It depends on how the counts are meant.
    Unclear,
}

/// Sets the counts of an instance against the fleet's own tasks there.
pub(super) fn others<'a>(member: &ContainerInstance, ours: impl Iterator<Item = &'a Task>) -> Others {
    let (mut living, mut wanted) = (0, 0);
    for task in ours.filter(|task| !is_over(task)) {
        living += 1;
        wanted += i32::from(is_wanted(task));
    }
    let (running, pending) = (member.running_tasks_count(), member.pending_tasks_count());
    let (least, most) = (running.max(pending), running + pending);
    if most <= wanted {
        Others::None
    } else if least > living {
        Others::Some
    } else {
        Others::Unclear
    }
}

/// The task has ended.
pub(super) fn is_over(task: &Task) -> bool {
    task.last_status() == Some("STOPPED")
}

/// ECS means the task to run.
pub(super) fn is_wanted(task: &Task) -> bool {
    task.desired_status() != Some(DesiredStatus::Stopped.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNNING: (&str, &str) = ("RUNNING", "RUNNING");
    const PENDING: (&str, &str) = ("PENDING", "RUNNING");
    const STOPPING: (&str, &str) = ("RUNNING", "STOPPED");
    const STOPPED: (&str, &str) = ("STOPPED", "STOPPED");

    #[test]
    fn the_counts_tell_unless_they_can_be_meant_either_way() {
        for (ours, running, pending, expected) in [
            (&[][..], 0, 0, Others::None),
            (&[], 1, 0, Others::Some),
            (&[], 0, 1, Others::Some),
            (&[RUNNING], 1, 0, Others::None),
            (&[RUNNING], 2, 0, Others::Some),
            (&[STOPPED], 0, 0, Others::None),
            (&[STOPPED], 1, 0, Others::Some),
            (&[STOPPED, RUNNING], 1, 0, Others::None),
            // The counts may lag behind the list of tasks.
            (&[RUNNING], 0, 0, Others::None),
            (&[PENDING], 0, 1, Others::None),
            // The pending task in both counts, or somebody else's in the other.
            (&[PENDING], 1, 1, Others::Unclear),
            (&[PENDING], 2, 1, Others::Some),
            // The stopping task still counted, or somebody else's.
            (&[STOPPING], 1, 0, Others::Unclear),
            (&[STOPPING], 0, 0, Others::None),
            (&[STOPPING], 2, 0, Others::Some),
        ] {
            let task =
                |(last, desired): &(&str, &str)| Task::builder().last_status(*last).desired_status(*desired).build();
            let tasks: Vec<Task> = ours.iter().map(task).collect();
            let member = ContainerInstance::builder().running_tasks_count(running).pending_tasks_count(pending).build();
            assert_eq!(others(&member, tasks.iter()), expected, "{ours:?} {running} {pending}");
        }
    }
}
