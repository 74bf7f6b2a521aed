"""RunTask without its token: which container instance takes each task, and why none does."""

import re

from moto.ecs.exceptions import InvalidParameterException
from moto.ecs.models import EC2ContainerServiceBackend

from container_instance import ContainerInstance
from needs import Needs
from task import Task

# The one expression of the cluster query language that is understood here. Any other is refused, lest a test pass on a
# constraint that nobody looked at.
ON_INSTANCE = re.compile(r"""\s*ec2InstanceId\s*==\s*(["']?)(?P<instance>i-[0-9a-f]+)\1\s*""")

MOST_TASKS = 10


def run_tasks(backend: EC2ContainerServiceBackend, request: dict) -> tuple[list[Task], list[dict]]:
    """The tasks that were placed, and the failures if not all were. The request is RunTask's."""
    cluster = backend._get_cluster(request.get("cluster", "default"))
    definition = backend.describe_task_definition(request["taskDefinition"])
    count = request.get("count", 1)
    if not 1 <= count <= MOST_TASKS:
        # "You can specify up to 10 tasks for each call."
        raise InvalidParameterException(f"count should be from 1 to {MOST_TASKS}, not {count}.")
    if request.get("launchType", "EC2") != "EC2":
        raise InvalidParameterException("Task definition does not support launch_type FARGATE.")
    if (definition.network_mode == "awsvpc") != ("networkConfiguration" in request):
        # "This parameter is required for task definitions that use the awsvpc network mode to receive their own elastic
        # network interface, and it isn't supported for other network modes."
        raise InvalidParameterException("Network Configuration is for networkMode awsvpc, which cannot do without it.")
    constraints = Constraints(request.get("placementConstraints", []))
    members = backend.container_instances.get(cluster.name, {}).values()
    members = [member for member in members if member.status == "ACTIVE"]
    if not members:
        raise InvalidParameterException("No Container Instances were found in your cluster.")
    group = request.get("group") or f"family:{definition.family}"
    needs, tasks = Needs.of(definition), []
    for _ in range(count):
        obstacles = {member.container_instance_arn: obstacle(member, constraints, group, needs) for member in members}
        fitting = [member for member in members if obstacles[member.container_instance_arn] is None]
        if not fitting:
            return tasks, [{"arn": arn, "reason": reason} for arn, reason in obstacles.items()]
        emptiest = min(fitting, key=lambda member: len(member.tasks))
        task = Task(cluster, definition, emptiest.container_instance_arn, request)
        backend.tasks[cluster.name][task.id] = task
        tasks.append(task)
    return tasks, []


class Constraints:
    def __init__(self, constraints: list[dict]) -> None:
        self.distinct = False
        self.instances: list[str] = []
        for constraint in constraints:
            expression = constraint.get("expression", "")
            on_instance = ON_INSTANCE.fullmatch(expression)
            if constraint["type"] == "distinctInstance" and not expression:
                self.distinct = True
            elif constraint["type"] == "memberOf" and on_instance:
                self.instances.append(on_instance["instance"])
            else:
                raise InvalidParameterException(f"The placement constraint {constraint} is not supported.")


def obstacle(member: ContainerInstance, constraints: Constraints, group: str, needs: Needs) -> str | None:
    """Why the task cannot go there, in the words of "API failure reasons". Each instance has a reason of its own, and a
    lost agent comes before the constraints: that is how a reported answer reads, which was, for a constraint that no
    instance met, `["MemberOf placement constraint unsatisfied.","AGENT"]` (aws/amazon-ecs-agent#3044)."""
    if not member.agent_connected:
        return "AGENT"
    if any(instance != member.ec2_instance_id for instance in constraints.instances):
        return "MemberOf placement constraint unsatisfied."
    # "Place each active task on a different container instance. Amazon ECS looks at the desired status of the tasks",
    # and only at those "in a particular group".
    if constraints.distinct and any(task.group == group and task.is_wanted for task in member.tasks):
        return "DistinctInstance placement constraint unsatisfied."
    if needs.memory > member.remaining_memory:
        return "RESOURCE:MEMORY"
    if needs.ports & member.reserved_ports:
        return "RESOURCE:PORTS"
    return None
