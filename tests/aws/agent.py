"""The ECS agents of all instances at once: they register, start and stop games, and tell ECS what came of it."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from signal import SIGKILL

from moto.core.utils import utcnow

from container_instance import ContainerInstance
from game import Game
from game_process import GameProcess
from machine import Machine
from network import free_port
from scripted_game import ScriptedGames
from task import Container, Task
from world import World


@dataclass
class Behaviour:
    # The game's command line, where {ip} and {port} stand for what it has to listen on, and what is added to it.
    command: list[str] = field(default_factory=list)
    game_args: list[str] = field(default_factory=list)
    # So many games get what is added; without a number all of them.
    games_with_args: int | None = None
    # Scripted games in place of processes.
    in_process: bool = False
    # Seconds from `running` to registered: the first for each test, the second to make some instances late.
    boot_delay: float = 0.2
    register_late: float = 0
    # All instances whose time has come, or that many of them, never register.
    never_register: bool | int = False
    # Tasks stay PENDING.
    no_task_start: bool = False
    # Seconds from SIGTERM to SIGKILL.
    stop_grace: float = 2
    # Ids of the instances whose agents have lost ECS: they are told nothing and tell nothing.
    disconnected: list[str] = field(default_factory=list)


class Agent:
    def __init__(self, world: World) -> None:
        self.behaviour = Behaviour()
        self.scripted_games = ScriptedGames()
        # By the ARNs of their tasks; dead ones too.
        self.games: dict[str, Game] = {}
        self._booted: set[str] = set()
        self._world = world

    def step(self) -> None:
        """Does what is due. To be called often, always by the thread that lives longest: games are forked here."""
        now = utcnow()
        for game in self.games.values():
            # Else a process that was killed with its instance would stay as a zombie.
            game.exit_code()
        tasks = defaultdict(list)
        for task in self._world.tasks():
            if not task.is_over:
                tasks[task.container_instance_arn].append(task)
        members = {member.ec2_instance_id: member for member in self._world.members() if member.status != "INACTIVE"}
        for machine in self._world.machines():
            machine.advance(now)
            member = members.get(machine.id)
            if machine.has_ended and member:
                self._leave(machine, member)
            elif member:
                self._attend(machine, member, tasks[member.container_instance_arn])
            elif machine.state == "running" and machine.id not in self._booted and self._world.has_cluster:
                self._boot(machine, now)

    def join(self, machine: Machine) -> None:
        """Registers it now, without the time that booting takes."""
        self._booted.add(machine.id)
        self._world.register(machine)

    def keep_out(self, machine: Machine) -> None:
        """Never registers it."""
        self._booted.add(machine.id)

    def games_on(self, machine: Machine) -> list[Game]:
        return [self.games[task.task_arn] for task in self._world.tasks_on(machine) if task.task_arn in self.games]

    def _boot(self, machine: Machine, now: datetime) -> None:
        due = machine.state_since + timedelta(seconds=self.behaviour.boot_delay + self.behaviour.register_late)
        if now < due:
            return
        if not machine.joins(self._world.cluster):
            self.keep_out(machine)
        elif not self.behaviour.never_register:
            self.join(machine)
        else:
            self.keep_out(machine)
            if self.behaviour.never_register is not True:
                self.behaviour.never_register -= 1

    def _leave(self, machine: Machine, member: ContainerInstance) -> None:
        for game in self.games_on(machine):
            game.send(SIGKILL)
        # "If you terminate a running container instance, Amazon ECS automatically deregisters the instance from your
        # cluster (stopped container instances or instances with disconnected agents aren't automatically deregistered
        # when terminated)."
        if not member.agent_connected:
            return
        for task in member.tasks:
            task.want_stopped("TerminationNotice", f"Host EC2 (instance {machine.id}) terminated.")
            task.submit_stopped(128 + SIGKILL)
        # By the Developer Guide it is INACTIVE then: no longer listed, but still described for an hour.
        member.status, member.agent_connected = "INACTIVE", False

    def _attend(self, machine: Machine, member: ContainerInstance, tasks: list[Task]) -> None:
        member.agent_connected = machine.id not in self.behaviour.disconnected
        if not member.agent_connected:
            return
        for task in tasks:
            game = self.games.get(task.task_arn)
            if game:
                self._follow(task, game)
            elif not task.is_wanted:
                task.submit_stopped(None)
            elif not self.behaviour.no_task_start:
                self._start(task, machine)

    def _follow(self, task: Task, game: Game) -> None:
        exit_code = game.exit_code()
        if exit_code is not None:
            task.want_stopped("EssentialContainerExited", "Essential container in task exited")
            task.submit_stopped(exit_code)
        elif not task.is_wanted:
            game.stop(self.behaviour.stop_grace)

    def _start(self, task: Task, machine: Machine) -> None:
        ip = task.own_address or machine.address
        bindings = {container.name: bindings_of(container, task.network_mode, ip) for container in task.containers}
        ports = [binding["hostPort"] for of_container in bindings.values() for binding in of_container]
        try:
            self.games[task.task_arn] = self._game(ip, ports[0] if ports else free_port(ip), task.containers[0].command)
        except OSError as error:
            task.want_stopped("TaskFailedToStart", f"CannotStartContainerError: {error}")
            task.submit_stopped(None)
            return
        # A network interface of the task's own needs no binding, and none is shown.
        task.submit_running({} if task.own_address else bindings)

    def _game(self, ip: str, port: int, command: list[str]) -> Game:
        """The command of a container comes after its image's entry point."""
        if self.behaviour.in_process:
            return self.scripted_games.start(ip, port)
        if not self.behaviour.command:
            raise FileNotFoundError("POST /_test/agent has set no command, nor in_process")
        command = [*self.behaviour.command, *self._game_args(), *command]
        command = [part.replace("{ip}", ip).replace("{port}", str(port)) for part in command]
        return GameProcess(command, f"{ip}:{port}")

    def _game_args(self) -> list[str]:
        if self.behaviour.games_with_args is None:
            return self.behaviour.game_args
        if self.behaviour.games_with_args == 0:
            return []
        self.behaviour.games_with_args -= 1
        return self.behaviour.game_args


def bindings_of(container: Container, network_mode: str, ip: str) -> list[dict]:
    """The ports that the container is reached at. In bridge mode, "if you specify 0 as the hostPort, your container
    automatically receives a port in the ephemeral port range"; in the other modes the ports are the container's."""
    bindings = []
    for mapping in container.port_mappings:
        container_port = mapping["containerPort"]
        host_port = (mapping.get("hostPort") or free_port(ip)) if network_mode == "bridge" else container_port
        bindings.append(
            {"bindIP": "0.0.0.0", "containerPort": container_port, "hostPort": host_port, "protocol": "tcp"}
        )
    return bindings
