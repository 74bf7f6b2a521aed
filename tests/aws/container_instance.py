"""A container instance whose counts and remaining resources follow from its tasks: moto counts on its own, and loses
count. It takes moto's place, so it is made with moto's parameters.
"""

from uuid import uuid4

from moto.core.utils import utcnow
from moto.ecs.models import EC2ContainerServiceBackend

from task import Task

# MiB that a t3.small has for tasks, once the system has taken its share.
MEMORY = 1939

# "The default reserved ports are 22 for SSH, the Docker ports 2375 and 2376, and the Amazon ECS container agent ports
# 51678-51680."
AGENT_PORTS = frozenset({22, 2375, 2376, 51678, 51679, 51680})


class ContainerInstance:
    def __init__(
        self,
        ec2_instance_id: str,
        account_id: str,
        region_name: str,
        cluster_name: str,
        backend: EC2ContainerServiceBackend,
    ) -> None:
        arn = f"arn:aws:ecs:{region_name}:{account_id}:container-instance/{cluster_name}/{uuid4().hex}"
        self.container_instance_arn = arn
        self.ec2_instance_id = ec2_instance_id
        self.status = "ACTIVE"
        self.agent_connected = True
        self.registered_at = utcnow()
        self.registered_resources = resources(MEMORY, AGENT_PORTS)
        self._tasks_of_cluster: dict[str, Task] = backend.tasks.setdefault(cluster_name, {})

    @property
    def tasks(self) -> list[Task]:
        """Those that are not over."""
        here = (task for task in self._tasks_of_cluster.values() if not task.is_over)
        return [task for task in here if task.container_instance_arn == self.container_instance_arn]

    @property
    def running_tasks_count(self) -> int:
        """AWS: "The number of tasks on the container instance that have a desired status of RUNNING"."""
        return sum(task.is_wanted for task in self.tasks)

    @property
    def pending_tasks_count(self) -> int:
        """AWS: "The number of tasks on the container instance that are in the PENDING status"."""
        return sum(task.last_status == "PENDING" for task in self.tasks)

    @property
    def remaining_memory(self) -> int:
        return MEMORY - sum(task.needs.memory for task in self.tasks)

    @property
    def reserved_ports(self) -> frozenset[int]:
        return AGENT_PORTS.union(*(task.needs.ports for task in self.tasks))

    @property
    def remaining_resources(self) -> list[dict]:
        return resources(self.remaining_memory, self.reserved_ports)


def resources(memory: int, ports: frozenset[int]) -> list[dict]:
    """AWS, of the ports: "Any port that's not specified here is available for new tasks"."""
    return [
        {"name": "MEMORY", "type": "INTEGER", "integerValue": memory},
        {"name": "PORTS", "type": "STRINGSET", "stringSetValue": [str(port) for port in sorted(ports)]},
    ]
