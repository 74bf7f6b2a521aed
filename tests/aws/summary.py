"""All that there is, for the eyes of a test: what AWS would show, and what it would not."""

from agent import Agent
from world import World


def summary(world: World, agent: Agent) -> dict:
    instances = {member.container_instance_arn: member.ec2_instance_id for member in world.members()}
    hosts = {task.task_arn: instances.get(task.container_instance_arn) for task in world.tasks()}
    return {
        "instances": [
            {
                "id": machine.id,
                "state": machine.state,
                "ip": machine.address,
                "type": machine.instance_type,
                "subnet": machine.subnet_id,
                "lifecycle": machine.lifecycle,
                "tags": {tag["key"]: tag["value"] for tag in machine.get_tags()},
                "launched_at": machine.launch_time.isoformat(),
            }
            for machine in world.machines()
        ],
        "container_instances": [
            {
                "arn": member.container_instance_arn,
                "instance": member.ec2_instance_id,
                "connected": member.agent_connected,
                "status": member.status,
            }
            for member in world.members()
        ],
        "tasks": [
            {
                "arn": task.task_arn,
                "instance": hosts[task.task_arn],
                "last_status": task.last_status,
                "desired_status": task.desired_status,
                "stop_code": task.stop_code,
                "tags": {tag["key"]: tag["value"] for tag in task.tags},
                "bindings": [binding for container in task.containers for binding in container.network_bindings],
                "started_by": task.started_by,
                "revision": task.task_definition_arn.rsplit("/", 1)[-1],
            }
            for task in world.tasks()
        ],
        "games": [
            {
                "task": task,
                "instance": hosts.get(task),
                "pid": game.pid,
                "address": game.address,
                "alive": game.exit_code() is None,
            }
            for task, game in agent.games.items()
        ],
    }
