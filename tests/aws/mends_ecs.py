"""Where moto's ECS is not as AWS documents it: whatever has to do with tasks and container instances."""

from datetime import timedelta

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ecs import models as moto_ecs
from moto.ecs.exceptions import ECSException, InvalidParameterException
from moto.ecs.models import EC2ContainerServiceBackend
from moto.ecs.responses import DESCRIBE_TASKS_TAGS, EC2ContainerServiceResponse

from client_tokens import ClientTokens, OtherParameters
from container_instance import ContainerInstance
from delays import delays
from paging import page
from placement import run_tasks
from task import Task

MOST_DESCRIBED = 100
MOST_LISTED = 100

moto_get_resource = EC2ContainerServiceBackend._get_resource

tokens = ClientTokens("clientToken")


def install() -> None:
    moto_ecs.ContainerInstance = ContainerInstance
    EC2ContainerServiceBackend._get_resource = get_resource
    EC2ContainerServiceResponse.run_task = run_task
    EC2ContainerServiceResponse.stop_task = stop_task
    EC2ContainerServiceResponse.list_tasks = list_tasks
    EC2ContainerServiceResponse.list_task_definitions = list_task_definitions
    EC2ContainerServiceResponse.describe_tasks = describe_tasks
    EC2ContainerServiceResponse.list_container_instances = list_container_instances
    EC2ContainerServiceResponse.describe_container_instances = describe_container_instances
    # It would make tasks of moto's own kind, which nobody drives.
    del EC2ContainerServiceResponse.start_task


class TokenInUse(ECSException):
    """AWS: "The provided clientToken is already in use with a different RunTask request. The resourceIds are the
    existing task ARNs which are already associated with the clientToken"."""

    def __init__(self, tasks: list[Task]) -> None:
        super().__init__("ConflictException", "The provided clientToken is already in use with a different request.")
        self.resource_ids = [task.task_arn for task in tasks]


def run_task(response: EC2ContainerServiceResponse) -> ActionResult:
    """The same token and parameters give the same tasks. Moto looks at neither token, constraints nor room."""
    request = dict(response.params)
    try:
        tasks, failures = tokens.recall(response.region, request), []
    except OtherParameters as error:
        raise TokenInUse(error.made) from error
    if tasks is None:
        tasks, failures = run_tasks(response.ecs_backend, request)
        # What came to nothing is free to be tried again.
        if tasks:
            tokens.remember(response.region, request, tasks)
    return ActionResult({"tasks": tasks, "failures": failures})


def stop_task(response: EC2ContainerServiceResponse) -> ActionResult:
    """Tells the agent to stop the task. Moto has it stopped at once, and fails when it was before."""
    task = tasks_of(response).get(id_of(response.params["task"]))
    if task is None:
        raise InvalidParameterException("The referenced task was not found.")
    task.want_stopped("UserInitiated", response.params.get("reason", "Task stopped by user"))
    # "Any tags associated with the task will be deleted."
    task.tags = []
    return ActionResult({"task": task})


def list_tasks(response: EC2ContainerServiceResponse) -> ActionResult:
    """AWS: "The default status filter is RUNNING". Moto shows all, and on one page."""
    request = response.params
    then = utcnow() - timedelta(milliseconds=delays.list_tasks_ms)
    status = request.get("desiredStatus", "RUNNING")
    arns = [
        task.task_arn
        for task in tasks_of(response).values()
        if task.desired_status_at(then) == status
        and request.get("family") in (None, task.family)
        and request.get("startedBy") in (None, task.started_by)
        and id_of(request.get("containerInstance", task.container_instance_arn)) == id_of(task.container_instance_arn)
    ]
    return listed(response, "taskArns", arns)


def list_task_definitions(response: EC2ContainerServiceResponse) -> ActionResult:
    """AWS lists by family and revision, "ASC" by default. Moto knows no order, and takes a prefix for the whole name."""
    request = response.params
    definitions = [
        definition
        for family, revisions in response.ecs_backend.task_definitions.items()
        if family.startswith(request.get("familyPrefix", ""))
        for definition in revisions.values()
        if definition.status == request.get("status", "ACTIVE")
    ]
    definitions.sort(key=lambda it: (it.family, it.revision), reverse=request.get("sort") == "DESC")
    arns = [definition.arn for definition in definitions]
    return ActionResult({"taskDefinitionArns": arns[: request.get("maxResults", MOST_LISTED)]})


def describe_tasks(response: EC2ContainerServiceResponse) -> ActionResult:
    """Leaves the tasks as they are, and tells which are missing."""
    if "TAGS" in response.params.get("include", []):
        response._include_in_response(DESCRIBE_TASKS_TAGS)
    else:
        response._exclude_from_response(DESCRIBE_TASKS_TAGS)
    return described(response, "task", "tasks", tasks_of(response))


def list_container_instances(response: EC2ContainerServiceResponse) -> ActionResult:
    """AWS: "The default is to include container instances set to all states other than INACTIVE"."""
    status = response.params.get("status")
    arns = [
        member.container_instance_arn
        for member in members_of(response).values()
        if member.status == status or (status is None and member.status != "INACTIVE")
    ]
    return listed(response, "containerInstanceArns", arns)


def describe_container_instances(response: EC2ContainerServiceResponse) -> ActionResult:
    """As moto's, but for a hundred at most, and before the first one registers too."""
    return described(response, "container-instance", "containerInstances", members_of(response))


def get_resource(backend: EC2ContainerServiceBackend, resource_arn: str, parsed_arn: dict[str, str]):
    """What TagResource tags. Moto looks through its own tasks, and answers for a missing one with an HTML page."""
    if parsed_arn["service"] != "task":
        return moto_get_resource(backend, resource_arn, parsed_arn)
    task = backend.tasks.get(parsed_arn["cluster_id"], {}).get(parsed_arn["id"])
    if task is None:
        raise ECSException("ResourceNotFoundException", "The specified resource wasn't found.")
    return task


def cluster_of(response: EC2ContainerServiceResponse) -> str:
    """The name of the cluster that the request names. An unknown one is refused."""
    return response.ecs_backend._get_cluster(response.params.get("cluster", "default")).name


def tasks_of(response: EC2ContainerServiceResponse) -> dict[str, Task]:
    return response.ecs_backend.tasks.get(cluster_of(response), {})


def members_of(response: EC2ContainerServiceResponse) -> dict[str, ContainerInstance]:
    return response.ecs_backend.container_instances.get(cluster_of(response), {})


def id_of(name: str) -> str:
    """Things are named by ARN or by id."""
    return name.rsplit("/", 1)[-1]


def described(response: EC2ContainerServiceResponse, kind: str, key: str, known: dict) -> ActionResult:
    ids = [id_of(name) for name in response.params[key]]
    if not 1 <= len(ids) <= MOST_DESCRIBED:
        raise InvalidParameterException(f"{key} should be 1 to {MOST_DESCRIBED}, not {len(ids)}.")
    prefix = f"arn:aws:ecs:{response.region}:{response.current_account}:{kind}/{cluster_of(response)}"
    failures = [{"arn": f"{prefix}/{id}", "reason": "MISSING"} for id in ids if id not in known]
    return ActionResult({key: [known[id] for id in ids if id in known], "failures": failures})


def listed(response: EC2ContainerServiceResponse, key: str, arns: list[str]) -> ActionResult:
    """AWS: "This value can be between 1 and 100. If this parameter isn't used, then ListTasks returns up to 100 results
    and a nextToken value if applicable"."""
    size = response.params.get("maxResults", MOST_LISTED)
    if not 1 <= size <= MOST_LISTED:
        raise InvalidParameterException(f"maxResults should be from 1 to {MOST_LISTED}, not {size}.")
    arns, token = page(arns, str, response.params.get("nextToken"), size)
    return ActionResult({key: arns, "nextToken": token})
