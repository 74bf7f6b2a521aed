"""What a task takes of its container instance while it is not stopped."""

from dataclasses import dataclass

from moto.ecs.models import TaskDefinition


@dataclass(frozen=True)
class Needs:
    # MiB.
    memory: int
    # Host ports that the task definition names; those that the agent picks are never in short supply.
    ports: frozenset[int]

    @classmethod
    def of(cls, definition: TaskDefinition) -> "Needs":
        containers = definition.container_definitions
        # "If you specify memoryReservation, then that value is subtracted from the available memory resources for the
        # container instance where the container is placed. Otherwise, the value of memory is used."
        memory = sum(container.get("memoryReservation") or container["memory"] for container in containers)
        # In host mode the host's port is the container's; in awsvpc mode none is taken of the host.
        key = {"host": "containerPort", "bridge": "hostPort"}.get(definition.network_mode)
        mappings = [mapping for container in containers for mapping in container["portMappings"]]
        return cls(memory, frozenset(mapping.get(key, 0) for mapping in mappings) - {0})
