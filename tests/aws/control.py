"""The paths under /_test/, by which tests set the scene, disturb it, and look behind it.

A request is a JSON object, an answer is JSON. What is not known, be it a key or an instance, is refused by name.
"""

import inspect
import json
from dataclasses import asdict, replace
from signal import Signals

from werkzeug.wrappers import Request, Response

from agent import Agent
from delays import delays
from faults import Fault, Faults
from game import Game
from gateway import Gateway
from scripted_game import ScriptedGame
from summary import summary
from world import World


class Control:
    """`POST /_test/world` is `post_world`, and so on."""

    def __init__(self, world: World, agent: Agent, faults: Faults, gateway: Gateway) -> None:
        self._world = world
        self._agent = agent
        self._faults = faults
        self._gateway = gateway

    def answer(self, request: Request) -> Response:
        try:
            handler = getattr(self, f"{request.method.lower()}_{request.path.removeprefix('/_test/')}", None)
            if handler is None:
                raise LookupError("there is no such path")
            arguments = request.args.to_dict() | json.loads(request.get_data() or "{}")
            inspect.signature(handler).bind(**arguments)
            with self._world.lock:
                answer, status = handler(**arguments), 200
        except (LookupError, TypeError, ValueError) as error:
            answer, status = {"error": f"{request.method} {request.path}: {error}"}, 400
        return Response(json.dumps(answer), status, content_type="application/json")

    def post_world(
        self,
        region: str = "ap-south-1",
        cluster: str = "default",
        launch_template: str = "defaultECS",
        task_definition: str = "LaunchGameserver",
        container_port: int = 8000,
        host_port: int = 0,
        memory: int = 512,
        network_mode: str = "bridge",
        instance_type: str = "t3.small",
    ) -> dict:
        """The names are those of an operator's `.env`."""
        world = self._world
        world.region, world.cluster = region, cluster
        world.launch_template, world.task_definition = launch_template, task_definition
        mapping = {"containerPort": container_port, "protocol": "tcp"}
        if network_mode == "bridge":
            mapping["hostPort"] = host_port
        container = {"name": "game", "image": "game", "memory": memory, "portMappings": [mapping]}
        definition = world.make(network_mode, container, instance_type)
        return {
            "region": region,
            "cluster": cluster,
            "launch_template": launch_template,
            "launch_template_id": world.ec2.launch_template_name_to_ids[launch_template],
            "task_definition": task_definition,
            "task_definition_arn": definition.arn,
        }

    def post_revision(self, family: str | None = None, command: list[str] | None = None) -> dict:
        """A new revision of a task definition, as an operator registers one, with that command for its container."""
        family = family or self._world.task_definition
        latest = self._world.latest_definition(family)
        container = latest.container_definitions[0] | {"command": command or []}
        definition = self._world.ecs.register_task_definition(family, [container], network_mode=latest.network_mode)
        return {"revision": f"{definition.family}:{definition.revision}"}

    def get_revisions(self) -> dict:
        """The tags of each revision."""
        revisions = self._world.ecs.task_definitions[self._world.task_definition].values()
        return {f"{it.family}:{it.revision}": {tag["key"]: tag["value"] for tag in it.tags or []} for it in revisions}

    def post_cluster(self, cluster: str) -> dict:
        """The agents' cluster is one that was made by the tests' own calls to AWS."""
        self._world.cluster = cluster
        return {}

    def get_world(self) -> dict:
        return summary(self._world, self._agent)

    def get_calls(self, action: str | None = None) -> list[dict]:
        return [asdict(call) for call in self._gateway.calls if action in (None, call.action)]

    def get_count(self) -> int:
        """How many calls came in so far."""
        return len(self._gateway.calls)

    def post_fail(self, **fault) -> dict:
        self._faults.add(Fault(**fault))
        return {}

    def post_clock(self, ahead: float) -> dict:
        """Seconds that AWS's clock is ahead of this machine's."""
        self._gateway.clock_ahead = ahead
        return {}

    def post_release(self) -> dict:
        self._faults.release()
        return {}

    def post_mend(self) -> dict:
        """Nothing goes wrong any more."""
        self._faults.forget()
        return {}

    def post_lag(self, **changes) -> dict:
        """Changes what is named, and leaves the rest as it is."""
        for name, delay in asdict(replace(delays, **changes)).items():
            setattr(delays, name, delay)
        return asdict(delays)

    def post_instances(
        self, count: int = 1, tags: dict | None = None, register: bool = True, task: bool = True
    ) -> list[dict]:
        """By hand, as an operator would, but without the time that it takes."""
        if task and not register:
            raise ValueError("a task needs an instance that is registered")
        launched = []
        for machine in self._world.launch(count, tags or {}):
            machine.run()
            if register:
                self._agent.join(machine)
            else:
                self._agent.keep_out(machine)
            arn = self._world.run_task_on(machine).task_arn if task else None
            launched.append({"instance": machine.id, "ip": machine.address, "task": arn})
        return launched

    def post_agent(self, **behaviour) -> dict:
        """Changes what is named, and leaves the rest as it is."""
        self._agent.behaviour = replace(self._agent.behaviour, **behaviour)
        return asdict(self._agent.behaviour)

    def post_games(self, task: str | None = None, **health) -> dict:
        """What the scripted game of one task answers from now on, or all of them and those to come."""
        unknown = set(health) - set(self._agent.scripted_games.health)
        if unknown:
            raise ValueError(f"a health answer has no {', '.join(sorted(unknown))}")
        if task is None:
            self._agent.scripted_games.health |= health
            games = list(self._agent.games.values())
        else:
            games = [self._game(task)]
        for game in games:
            if not isinstance(game, ScriptedGame):
                raise ValueError(f"the game at {game.address} is a process, which answers for itself")
            game.health |= health
        return {"changed": len(games)}

    def post_kill(self, task: str | None = None, instance: str | None = None, signal: str = "KILL") -> dict:
        """Sends a signal to the game of a task, or to those on an instance."""
        games = [self._game(task)] if task else self._agent.games_on(self._world.machine(instance))
        for game in games:
            game.send(Signals[f"SIG{signal}"])
        return {"signalled": len(games)}

    def post_vanish(self, task: str | None = None, instance: str | None = None) -> dict:
        """Ends a task or an instance behind the manager's back."""
        if task:
            self._world.task(task).want_stopped("UserInitiated", "Task stopped by user")
        if instance:
            self._world.machine(instance).terminate()
        return {}

    def post_plan(
        self, instance: str, code: str = "instance-retirement", description: str = "on degraded hardware"
    ) -> dict:
        """AWS plans the end of an instance, or whatever the code of a scheduled event says."""
        self._world.machine(instance).events.append((code, description))
        return {}

    def _game(self, task: str) -> Game:
        if task not in self._agent.games:
            raise LookupError(f"no game was started for task {task}")
        return self._agent.games[task]
