"""The one region and cluster of a launcher, and what is in them."""

from threading import RLock

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ecs.models import EC2ContainerServiceBackend, TaskDefinition, ecs_backends

from container_instance import ContainerInstance
from machine import Machine
from placement import run_tasks
from task import Task


class World:
    """Whoever reads or changes it holds the lock: moto has none of its own."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.region = "ap-south-1"
        self.cluster = "default"
        self.launch_template = "defaultECS"
        self.task_definition = "LaunchGameserver"

    @property
    def ec2(self) -> EC2Backend:
        return ec2_backends[DEFAULT_ACCOUNT_ID][self.region]

    @property
    def ecs(self) -> EC2ContainerServiceBackend:
        return ecs_backends[DEFAULT_ACCOUNT_ID][self.region]

    @property
    def has_cluster(self) -> bool:
        return self.cluster in self.ecs.clusters

    def machines(self) -> list[Machine]:
        return [machine for reservation in self.ec2.reservations.values() for machine in reservation.instances]

    def members(self) -> list[ContainerInstance]:
        return list(self.ecs.container_instances.get(self.cluster, {}).values())

    def tasks(self) -> list[Task]:
        return list(self.ecs.tasks.get(self.cluster, {}).values())

    def machine(self, instance: str) -> Machine:
        for machine in self.machines():
            if machine.id == instance:
                return machine
        raise LookupError(f"there is no instance {instance}")

    def task(self, arn: str) -> Task:
        for task in self.tasks():
            if task.task_arn == arn:
                return task
        raise LookupError(f"there is no task {arn}")

    def tasks_on(self, machine: Machine) -> list[Task]:
        return [task for member in self.members() if member.ec2_instance_id == machine.id for task in member.tasks]

    def make(self, network_mode: str, container: dict, instance_type: str) -> TaskDefinition:
        """Makes what is not there yet, and a new revision if the task definition is another than before."""
        if not self.has_cluster:
            self.ecs.create_cluster(self.cluster)
        if self.launch_template not in self.ec2.launch_template_name_to_ids:
            self.ec2.create_launch_template(self.launch_template, "", {"InstanceType": instance_type}, {})
        revisions = self.ecs.task_definitions.get(self.task_definition)
        if revisions:
            latest = self.latest_definition(self.task_definition)
            if latest.network_mode == network_mode and latest.container_definitions[0].items() >= container.items():
                return latest
        return self.ecs.register_task_definition(self.task_definition, [container], network_mode=network_mode)

    def latest_definition(self, family: str) -> TaskDefinition:
        revisions = self.ecs.task_definitions[family]
        return revisions[max(revisions)]

    def launch(self, count: int, tags: dict[str, str]) -> list[Machine]:
        """Instances of the launch template, as an operator launches them by hand."""
        reservation = self.ec2.run_instances(
            image_id=None,
            count=count,
            user_data=None,
            security_group_names=[],
            launch_template={"LaunchTemplateName": self.launch_template},
            is_instance_type_default=True,
            region_name=self.region,
            tags={"instance": tags},
        )
        return reservation.instances

    def register(self, machine: Machine) -> ContainerInstance:
        return self.ecs.register_container_instance(self.cluster, machine.id)

    def run_task_on(self, machine: Machine) -> Task:
        here = {"type": "memberOf", "expression": f"ec2InstanceId == {machine.id}"}
        request = {"cluster": self.cluster, "taskDefinition": self.task_definition, "placementConstraints": [here]}
        if self.ecs.describe_task_definition(self.task_definition).network_mode == "awsvpc":
            request["networkConfiguration"] = {"awsvpcConfiguration": {"subnets": [machine.subnet_id]}}
        tasks, failures = run_tasks(self.ecs, request)
        if failures:
            raise ValueError(f"no task could be placed on {machine.id}: {failures}")
        return tasks[0]
