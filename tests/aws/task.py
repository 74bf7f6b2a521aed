"""An ECS task, which the agent drives: moto's runs from the start, is pushed on to STOPPED by being described, has one
container whatever its definition says, and no network bindings. Moto's serializer shows the attributes by their names.
"""

from datetime import datetime
from uuid import uuid4

from moto.core.utils import utcnow
from moto.ecs.models import Cluster, TaskDefinition

from network import addresses
from needs import Needs


class Container:
    def __init__(self, task_arn: str, definition: dict) -> None:
        self.container_arn = f"{task_arn.replace(':task/', ':container/')}/{uuid4()}"
        self.task_arn = task_arn
        self.name = definition["name"]
        self.image = definition["image"]
        self.command: list[str] = definition.get("command") or []
        self.port_mappings: list[dict] = definition["portMappings"]
        self.last_status = "PENDING"
        self.health_status = "UNKNOWN"
        self.exit_code: int | None = None
        self.network_bindings: list[dict] = []
        self.network_interfaces: list[dict] = []


class Task:
    def __init__(self, cluster: Cluster, definition: TaskDefinition, container_instance_arn: str, request: dict):
        self.id = uuid4().hex
        self.task_arn = f"{cluster.arn.replace(':cluster/', ':task/')}/{self.id}"
        self.cluster_arn = cluster.arn
        self.task_definition_arn = definition.arn
        self.container_instance_arn = container_instance_arn
        self.family = definition.family
        self.group = request.get("group") or f"family:{definition.family}"
        self.launch_type = "EC2"
        self.started_by = request.get("startedBy")
        self.tags: list[dict] = list(request.get("tags") or [])
        self.overrides = request.get("overrides") or {}
        self.network_mode = definition.network_mode
        self.needs = Needs.of(definition)
        self.containers = [Container(self.task_arn, container) for container in definition.container_definitions]
        self.attachments: list[dict] = []
        # Only in awsvpc mode, where a task has a network interface.
        self.own_address: str | None = None
        self.desired_status = "RUNNING"
        self.last_status = "PENDING"
        self.created_at = utcnow()
        self.started_at: datetime | None = None
        self.stopping_at: datetime | None = None
        self.stopped_at: datetime | None = None
        self.stop_code: str | None = None
        self.stopped_reason: str | None = None
        if self.network_mode == "awsvpc":
            self._attach_interface(request["networkConfiguration"]["awsvpcConfiguration"])

    @property
    def is_over(self) -> bool:
        return self.last_status == "STOPPED"

    @property
    def is_wanted(self) -> bool:
        return self.desired_status == "RUNNING"

    def desired_status_at(self, time: datetime) -> str | None:
        """None before it was created."""
        if time < self.created_at:
            return None
        return "STOPPED" if self.stopping_at and self.stopping_at <= time else "RUNNING"

    def submit_running(self, bindings: dict[str, list[dict]]) -> None:
        """The agent says that the containers run, with the network bindings of each by its name: "After a task reaches
        the RUNNING status, manual and automatic host and container port assignments are visible"."""
        self.last_status = "RUNNING"
        self.started_at = utcnow()
        for container in self.containers:
            container.last_status = "RUNNING"
            container.network_bindings = bindings.get(container.name, [])

    def want_stopped(self, code: str, reason: str) -> None:
        """Only the first reason counts."""
        if self.is_wanted:
            self.desired_status = "STOPPED"
            self.stop_code, self.stopped_reason = code, reason
            self.stopping_at = utcnow()

    def submit_stopped(self, exit_code: int | None) -> None:
        """The agent says that the containers have ended, or, without an exit code, that they never started."""
        self.last_status = "STOPPED"
        self.stopped_at = utcnow()
        for container in self.containers:
            container.last_status = "STOPPED"
            container.exit_code = exit_code

    def _attach_interface(self, configuration: dict) -> None:
        self.last_status = "PROVISIONING"
        self.own_address = addresses.take()
        attachment = str(uuid4())
        details = {
            "subnetId": configuration["subnets"][0],
            "networkInterfaceId": f"eni-{uuid4().hex[:17]}",
            "privateIPv4Address": self.own_address,
        }
        details = [{"name": name, "value": value} for name, value in details.items()]
        self.attachments = [
            {"id": attachment, "type": "ElasticNetworkInterface", "status": "ATTACHED", "details": details}
        ]
        for container in self.containers:
            container.network_interfaces = [{"attachmentId": attachment, "privateIpv4Address": self.own_address}]
