"""How slow the cloud is, in milliseconds. Tests change it while the cloud runs."""

from dataclasses import dataclass


@dataclass
class Delays:
    # From `pending` to `running`, and from `shutting-down` to `terminated`: AWS takes seconds to minutes.
    pending_ms: float = 200
    shutting_down_ms: float = 200
    # How old the truth is that ListTasks shows, and how long DescribeInstances does not show a fresh instance: "The
    # Amazon ECS API follows an eventual consistency model", and so does EC2's.
    list_tasks_ms: float = 0
    describe_instances_ms: float = 0


delays = Delays()
