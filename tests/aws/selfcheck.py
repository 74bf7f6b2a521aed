"""Drives freshly started launchers with boto3: each mend, each control call, and each habit of the agent.

`python selfcheck.py` takes the options of unittest, such as -v and the names of tests.
"""

import json
import signal
import subprocess
import sys
import time
import unittest
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

FLEET = "playlivechess-manager:fleet"
OURS = {"Name": f"tag:{FLEET}", "Values": ["chess"]}
NO_INSTANCE = "i-0123456789abcdef0"

# Exits with 3 at SIGTERM, unless it is told to be stubborn.
GAME = """
import signal, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"available_capacity": 7, "ready_to_close": false}')
    def log_message(self, *_):
        pass
HTTPServer.handle_error = lambda *_: None
signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in sys.argv else lambda *_: sys.exit(3))
HTTPServer((sys.argv[1], int(sys.argv[2])), Health).serve_forever()
"""
# The longest wait for anything at all. Only a test that fails waits so long: the machines are shared and slow.
PATIENCE = 90

# A delay that is never waited for: a test ends it when it has seen what it wants to see.
AN_HOUR = 3_600_000

PROCESSES = {"command": [sys.executable, "-c", GAME, "{ip}", "{port}"], "in_process": False}


class Launcher:
    """A launcher, its control calls and its AWS clients, which try once."""

    def __init__(self) -> None:
        script = str(Path(__file__).with_name("launcher.py"))
        self.process = subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.url = self.process.stdout.readline().decode().removeprefix("listening on ").strip()
        self.ec2, self.ecs = self.client("ec2"), self.client("ecs")

    def client(self, service: str, keys: tuple[str, str] = ("AKIAEXAMPLE", "secret"), **options):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="ap-south-1",
            aws_access_key_id=keys[0],
            aws_secret_access_key=keys[1],
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=20, **options),
        )

    def post(self, path: str, **body):
        return fetch(Request(f"{self.url}/_test/{path}", json.dumps(body).encode(), method="POST"))

    def get(self, path: str):
        return fetch(f"{self.url}/_test/{path}")

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=PATIENCE)
        self.process.stdout.close()


def fetch(request: Request | str, timeout: float = PATIENCE):
    with urlopen(request, timeout=timeout) as response:
        return json.load(response)


def health(address: str) -> dict:
    return fetch(f"http://{address}/health/", timeout=5)


def answers(address: str) -> bool:
    try:
        return bool(health(address))
    except OSError:
        return False


def exists(pid: int) -> bool:
    """Whether it runs: one that has ended and that init has not come round to is a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def until(what: str, condition: Callable, timeout: float = PATIENCE):
    """The first answer that is true."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError(f"not within {timeout} s: {what}")


class Case(unittest.TestCase):
    """A launcher with a world whose games are scripted, and what tests do with it."""

    def setUp(self) -> None:
        self.launcher = Launcher()
        self.addCleanup(self.launcher.close)
        self.post, self.get = self.launcher.post, self.launcher.get
        self.ec2, self.ecs = self.launcher.ec2, self.launcher.ecs
        self.post("world")
        self.post("agent", in_process=True)

    def refused(self, code: str, call: Callable, **parameters) -> dict:
        with self.assertRaises(ClientError) as caught:
            call(**parameters)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        return caught.exception.response

    def launch(self, token: str = "launch-1", count: int = 1) -> list[dict]:
        """As the manager does."""
        tags = [{"Key": FLEET, "Value": "chess"}]
        answer = self.ec2.run_instances(
            LaunchTemplate={"LaunchTemplateName": "defaultECS", "Version": "$Default"},
            MinCount=1,
            MaxCount=count,
            ClientToken=token,
            TagSpecifications=[{"ResourceType": kind, "Tags": tags} for kind in ("instance", "volume")],
        )
        return answer["Instances"]

    def instances(self, **parameters) -> list[dict]:
        answer = self.ec2.describe_instances(**parameters)
        return [machine for reservation in answer["Reservations"] for machine in reservation["Instances"]]

    def states(self) -> list[str]:
        return [machine["State"]["Name"] for machine in self.instances()]

    def run_task(self, expression: str | None = None, distinct: bool = False, **parameters) -> dict:
        constraints = [{"type": "memberOf", "expression": expression}] if expression else []
        constraints += [{"type": "distinctInstance"}] if distinct else []
        parameters = {"taskDefinition": "LaunchGameserver", "launchType": "EC2"} | parameters
        return self.ecs.run_task(placementConstraints=constraints, **parameters)

    def placed(self, *arguments, **parameters) -> dict:
        [task] = self.run_task(*arguments, **parameters)["tasks"]
        return task

    def unplaced(self, *arguments, **parameters) -> list[str]:
        """The reasons."""
        answer = self.run_task(*arguments, **parameters)
        self.assertEqual(answer["tasks"], [])
        return [failure["reason"] for failure in answer["failures"]]

    def task(self, arn: str) -> dict:
        return self.ecs.describe_tasks(tasks=[arn], include=["TAGS"])["tasks"][0]

    def until_task(self, arn: str, status: str) -> dict:
        return until(f"task {status}", lambda: (task := self.task(arn))["lastStatus"] == status and task)

    def members(self) -> list[str]:
        pages = self.ecs.get_paginator("list_container_instances").paginate()
        return [arn for page in pages for arn in page["containerInstanceArns"]]

    def member(self, arn: str) -> dict:
        return self.ecs.describe_container_instances(containerInstances=[arn])["containerInstances"][0]

    def address(self, task: str) -> str:
        """Where the game of a task is."""
        games = until("a game", lambda: [game for game in self.get("world")["games"] if game["task"] == task])
        return games[0]["address"]


class Instances(Case):
    def test_one_token_makes_the_same_instances_however_often_it_is_used(self):
        with ThreadPoolExecutor(10) as pool:
            launches = list(pool.map(lambda _: self.launch(count=3), range(10)))
        self.assertEqual(len({machine["InstanceId"] for launch in launches for machine in launch}), 3)
        self.assertEqual((len(self.instances()), len(self.get("calls?action=RunInstances"))), (3, 10))
        until("running", lambda: self.states() == ["running"] * 3)
        self.assertEqual(self.launch(count=3)[0]["State"]["Name"], "running")
        self.refused("IdempotentParameterMismatch", self.launch, count=4)
        self.ec2.terminate_instances(InstanceIds=[machine["InstanceId"] for machine in self.instances()])
        self.refused("IdempotentInstanceTerminated", self.launch, count=3)

    def test_each_has_an_address_of_its_own_its_tags_and_its_templates_type(self):
        machines = self.launch(count=2)
        addresses = {machine["PublicIpAddress"] for machine in machines}
        for machine in machines:
            self.assertRegex(machine["PublicIpAddress"], r"^127\.")
            self.assertEqual(machine["PrivateIpAddress"], machine["PublicIpAddress"])
            self.assertIn(machine["PublicIpAddress"].replace(".", "-"), machine["PublicDnsName"])
            self.assertEqual(machine["InstanceType"], "t3.small")
            self.assertIn({"Key": FLEET, "Value": "chess"}, machine["Tags"])
        self.assertEqual(len(self.ec2.describe_volumes(Filters=[OURS])["Volumes"]), 2)
        other = Launcher()
        self.addCleanup(other.close)
        other.post("world")
        strangers = {made["ip"] for made in other.post("instances", count=300, task=False)}
        self.assertEqual(len(addresses | strangers), 302)

    def test_they_take_their_time_to_start_and_to_end(self):
        self.post("lag", pending_ms=AN_HOUR, shutting_down_ms=AN_HOUR)
        ids = [machine["InstanceId"] for machine in self.launch()]
        self.assertEqual(self.states(), ["pending"])
        self.post("lag", pending_ms=300)
        until("running", lambda: self.states() == ["running"])
        self.refused("InvalidInstanceID.NotFound", self.ec2.terminate_instances, InstanceIds=[*ids, NO_INSTANCE])
        self.assertEqual(self.states(), ["running"])
        for _ in range(2):
            self.ec2.terminate_instances(InstanceIds=ids)
            self.assertEqual(self.states(), ["shutting-down"])
        self.post("lag", shutting_down_ms=300)
        until("terminated", lambda: self.states() == ["terminated"])
        self.ec2.terminate_instances(InstanceIds=ids)

    def test_pages_are_of_instances_and_filters_forgive_what_is_missing(self):
        ids = [machine["InstanceId"] for machine in self.launch(count=12)]
        self.post("instances", count=3, task=False)
        pages = self.ec2.get_paginator("describe_instances").paginate(Filters=[OURS], PaginationConfig={"PageSize": 5})
        sizes = [sum(len(reservation["Instances"]) for reservation in page["Reservations"]) for page in pages]
        self.assertEqual((sizes, len(self.instances())), ([5, 5, 2], 15))
        named = {"Name": "instance-id", "Values": [ids[0], NO_INSTANCE]}
        self.assertEqual([machine["InstanceId"] for machine in self.instances(Filters=[named])], ids[:1])
        self.refused("InvalidParameterValue", self.ec2.describe_instances, MaxResults=1001)

    def test_a_fresh_one_may_not_be_shown_yet(self):
        self.post("lag", describe_instances_ms=AN_HOUR)
        ids = [machine["InstanceId"] for machine in self.launch()]
        self.assertEqual(self.instances(), [])
        self.refused("InvalidInstanceID.NotFound", self.ec2.describe_instances, InstanceIds=ids)
        self.post("lag", describe_instances_ms=400)
        until("shown", self.instances)


class Placement(Case):
    def test_what_cannot_be_is_refused(self):
        refusal = self.refused("InvalidParameterException", self.run_task)
        self.assertEqual(refusal["Error"]["Message"], "No Container Instances were found in your cluster.")
        instance = self.post("instances", task=False)[0]["instance"]
        self.refused("InvalidParameterException", self.run_task, count=11)
        self.refused("InvalidParameterException", self.run_task, expression="attribute:ecs.os-type == linux")
        self.refused("InvalidParameterException", self.run_task, launchType="FARGATE")
        self.refused("ClientException", self.run_task, taskDefinition="none")
        for call in (self.ecs.list_tasks, self.ecs.list_container_instances, self.run_task):
            self.refused("ClusterNotFoundException", call, cluster="none")
        elsewhere = f"ec2InstanceId == {NO_INSTANCE}"
        self.assertEqual(self.unplaced(elsewhere), ["MemberOf placement constraint unsatisfied."])
        self.assertEqual(self.placed(f"ec2InstanceId == '{instance}'")["lastStatus"], "PENDING")

    def test_distinct_instances_are_told_by_the_wanted_tasks_of_one_group(self):
        here = f"ec2InstanceId == {self.post('instances', task=False)[0]['instance']}"
        first = self.placed(here, distinct=True)
        self.assertEqual(self.unplaced(here, distinct=True), ["DistinctInstance placement constraint unsatisfied."])
        self.placed(here, distinct=True, group="another")
        self.ecs.stop_task(task=first["taskArn"])
        self.placed(here, distinct=True)

    def test_memory_and_ports_are_held_until_the_task_has_stopped(self):
        self.post("world", host_port=8000, memory=1500)
        task = self.post("instances")[0]["task"]
        self.until_task(task, "RUNNING")
        self.assertEqual(self.unplaced(), ["RESOURCE:MEMORY"])
        self.post("world", host_port=8000, memory=100)
        self.assertEqual(self.unplaced(), ["RESOURCE:PORTS"])
        member = self.member(self.members()[0])
        remaining = {resource["name"]: resource for resource in member["remainingResources"]}
        self.assertEqual((member["runningTasksCount"], remaining["MEMORY"]["integerValue"]), (1, 439))
        self.assertIn("8000", remaining["PORTS"]["stringSetValue"])
        self.ecs.stop_task(task=task)
        self.until_task(task, "STOPPED")
        self.placed()

    def test_a_lost_agent_takes_no_task_and_is_not_deregistered(self):
        made = self.post("instances")[0]
        self.until_task(made["task"], "RUNNING")
        self.post("agent", disconnected=[made["instance"]])
        until("the agent is lost", lambda: not self.member(self.members()[0])["agentConnected"])
        self.assertEqual(self.unplaced(), ["AGENT"])
        self.ec2.terminate_instances(InstanceIds=[made["instance"]])
        until("terminated", lambda: self.states() == ["terminated"])
        self.assertEqual((len(self.members()), self.task(made["task"])["lastStatus"]), (1, "RUNNING"))

    def test_one_token_places_the_same_task(self):
        self.post("instances", count=2, task=False)
        with ThreadPoolExecutor(10) as pool:
            tasks = list(pool.map(lambda _: self.placed(clientToken="one", startedBy="chess"), range(10)))
        arns = {task["taskArn"] for task in tasks}
        self.assertEqual((len(arns), len(self.get("world")["tasks"])), (1, 1))
        refusal = self.refused("ConflictException", self.run_task, clientToken="one", startedBy="another")
        self.assertEqual(refusal["resourceIds"], list(arns))

    def test_a_placement_that_came_to_nothing_leaves_its_token_unused(self):
        made = self.post("instances")[0]
        here = {"expression": f"ec2InstanceId == {made['instance']}", "distinct": True, "clientToken": "one"}
        self.unplaced(**here)
        self.ecs.stop_task(task=made["task"])
        self.placed(**here)


class Tasks(Case):
    def test_a_task_runs_when_the_agent_says_so_and_is_reached_by_its_binding(self):
        self.post("agent", no_task_start=True)
        [machine] = self.launch()
        until("registered", self.members)
        arn = self.placed(f'ec2InstanceId == "{machine["InstanceId"]}"', startedBy="chess")["taskArn"]
        for _ in range(5):
            self.assertEqual(self.task(arn)["lastStatus"], "PENDING")
        self.post("agent", no_task_start=False)
        task = self.until_task(arn, "RUNNING")
        self.assertLess(task["createdAt"], task["startedAt"])
        self.assertEqual((task["group"], task["startedBy"]), ("family:LaunchGameserver", "chess"))
        [binding] = task["containers"][0]["networkBindings"]
        self.assertEqual((task["containers"][0]["name"], binding["containerPort"]), ("game", 8000))
        self.assertTrue(answers(f"{machine['PublicIpAddress']}:{binding['hostPort']}"))

    def test_host_mode_binds_the_containers_port_and_awsvpc_has_an_interface(self):
        self.post("world", network_mode="host")
        made = self.post("instances")[0]
        [binding] = self.until_task(made["task"], "RUNNING")["containers"][0]["networkBindings"]
        self.assertEqual(binding["hostPort"], 8000)
        self.assertTrue(answers(f"{made['ip']}:8000"))
        self.post("world", network_mode="awsvpc")
        self.refused("InvalidParameterException", self.run_task)
        made = self.post("instances")[0]
        task = self.until_task(made["task"], "RUNNING")
        self.assertEqual(task["containers"][0]["networkBindings"], [])
        details = {detail["name"]: detail["value"] for detail in task["attachments"][0]["details"]}
        self.assertNotEqual(details["privateIPv4Address"], made["ip"])
        self.assertTrue(answers(f"{details['privateIPv4Address']}:8000"))

    def test_a_stop_is_wanted_at_once_done_by_the_agent_and_may_be_repeated(self):
        arn = self.post("instances")[0]["task"]
        self.until_task(arn, "RUNNING")
        stopping = self.ecs.stop_task(task=arn, reason="closed")["task"]
        self.assertEqual((stopping["lastStatus"], stopping["desiredStatus"]), ("RUNNING", "STOPPED"))
        stopped = self.until_task(arn, "STOPPED")
        self.assertEqual((stopped["stopCode"], stopped["stoppedReason"]), ("UserInitiated", "closed"))
        self.assertEqual(stopped["containers"][0]["exitCode"], 0)
        self.assertLessEqual(stopped["stoppingAt"], stopped["stoppedAt"])
        self.ecs.stop_task(task=arn)
        refusal = self.refused("InvalidParameterException", self.ecs.stop_task, task="none")
        self.assertEqual(refusal["Error"]["Message"], "The referenced task was not found.")

    def test_tags_stay_until_the_stop_and_are_shown_when_asked_for(self):
        arn = self.post("instances")[0]["task"]
        tags = [{"key": "playlivechess-manager:role", "value": "standby"}]
        self.ecs.tag_resource(resourceArn=arn, tags=tags)
        self.assertEqual(self.task(arn)["tags"], tags)
        self.assertNotIn("tags", self.ecs.describe_tasks(tasks=[arn])["tasks"][0])
        self.refused("ResourceNotFoundException", self.ecs.tag_resource, resourceArn=f"{arn[:-4]}none", tags=tags)
        self.ecs.stop_task(task=arn)
        self.assertEqual(self.task(arn)["tags"], [])

    def test_a_terminated_instance_takes_its_task_along(self):
        made = self.post("instances")[0]
        self.until_task(made["task"], "RUNNING")
        [arn] = self.members()
        self.post("vanish", instance=made["instance"])
        self.assertIn(made["instance"], self.until_task(made["task"], "STOPPED")["stoppedReason"])
        member = self.member(arn)
        self.assertEqual((member["status"], member["agentConnected"]), ("INACTIVE", False))
        self.assertEqual((self.members(), member["runningTasksCount"]), ([], 0))
        self.ecs.stop_task(task=made["task"])

    def test_a_hundred_are_described_and_listed_and_the_missing_are_named(self):
        tasks = [made["task"] for made in self.post("instances", count=150)]
        until("150 games", lambda: len(self.get("world")["games"]) == 150)
        pages = [page["taskArns"] for page in self.ecs.get_paginator("list_tasks").paginate(family="LaunchGameserver")]
        self.assertEqual([len(page) for page in pages], [100, 50])
        self.assertEqual({arn for page in pages for arn in page}, set(tasks))
        members = self.members()
        self.assertEqual(len(set(members)), 150)
        for call, key, arns in (
            (self.ecs.describe_tasks, "tasks", tasks),
            (self.ecs.describe_container_instances, "containerInstances", members),
        ):
            self.refused("InvalidParameterException", call, **{key: arns[:101]})
            answer = call(**{key: [*arns[:99], "none"]})
            self.assertEqual((len(answer[key]), answer["failures"][0]["reason"]), (99, "MISSING"))

    def test_lists_are_by_desired_status_and_may_lag(self):
        def listed(**filters) -> list[str]:
            return self.ecs.list_tasks(**filters)["taskArns"]

        arn = self.post("instances")[0]["task"]
        there = listed(containerInstance=self.task(arn)["containerInstanceArn"])
        self.assertEqual((there, listed(), listed(family="Launch"), listed(startedBy="chess")), ([arn], [arn], [], []))
        self.post("lag", list_tasks_ms=AN_HOUR)
        self.assertEqual(listed(), [])
        # A list that is behind by less than it takes to ask for it shows nothing of that: then it is to be more.
        for lag in (500, 2_000, 8_000, 32_000):
            self.post("lag", list_tasks_ms=lag)
            until("listed", lambda arn=arn: arn in listed())
            self.post("vanish", task=arn)
            running, stopped = listed(), listed(desiredStatus="STOPPED")
            until("stopped", lambda arn=arn: arn in listed(desiredStatus="STOPPED"))
            self.assertNotIn(arn, listed())
            if arn in running and arn not in stopped:
                return
            arn = self.post("instances")[0]["task"]
        self.fail("no list was behind")


class Agents(Case):
    def test_they_register_late_or_never_as_they_are_told(self):
        self.post("agent", never_register=1, boot_delay=0)
        self.launch("launch-1")
        until("kept out", lambda: self.post("agent")["never_register"] == 0)
        self.post("agent", register_late=0.5)
        started = time.monotonic()
        [late] = self.launch("launch-2")
        [arn] = until("registered", self.members)
        self.assertGreater(time.monotonic() - started, 0.5)
        self.assertEqual(self.member(arn)["ec2InstanceId"], late["InstanceId"])

    def test_a_process_ends_at_sigterm_or_else_after_its_grace(self):
        for arguments, grace, exit_code in (([], PATIENCE, 3), (["stubborn"], 0.5, 137)):
            with self.subTest(arguments):
                self.post("agent", **PROCESSES, game_args=arguments, stop_grace=grace)
                made = self.post("instances")[0]
                address = self.address(made["task"])
                self.assertTrue(address.startswith(made["ip"]))
                until("health", lambda: answers(address))
                self.ecs.stop_task(task=made["task"])
                self.assertEqual(self.until_task(made["task"], "STOPPED")["containers"][0]["exitCode"], exit_code)

    def test_a_game_that_dies_ends_its_task_and_one_that_hangs_does_not(self):
        for behaviour in ({"in_process": True}, PROCESSES):
            with self.subTest(in_process=behaviour["in_process"]):
                self.post("agent", **behaviour)
                made = self.post("instances")[0]
                address = self.address(made["task"])
                until("health", lambda: answers(address))
                self.post("kill", task=made["task"], signal="STOP")
                self.assertFalse(answers(address))
                self.assertEqual(self.task(made["task"])["lastStatus"], "RUNNING")
                self.post("kill", task=made["task"], signal="CONT")
                until("health", lambda: answers(address))
                self.post("kill", instance=made["instance"])
                stopped = self.until_task(made["task"], "STOPPED")
                self.assertEqual(stopped["stopCode"], "EssentialContainerExited")
                self.assertEqual(stopped["containers"][0]["exitCode"], 137)

    def test_as_many_games_are_odd_as_are_told_to_be(self):
        self.post("agent", **PROCESSES, game_args=["stubborn"], games_with_args=1, stop_grace=PATIENCE)
        odd, plain = self.post("instances")[0], self.post("instances")[0]
        for made in (odd, plain):
            until("health", lambda made=made: answers(self.address(made["task"])))
            self.ecs.stop_task(task=made["task"])
        self.until_task(plain["task"], "STOPPED")
        self.assertEqual(self.task(odd["task"])["lastStatus"], "RUNNING")

    def test_a_game_that_cannot_start_says_why(self):
        self.post("agent", command=["/no/such/game"], in_process=False)
        stopped = self.until_task(self.post("instances")[0]["task"], "STOPPED")
        self.assertEqual(stopped["stopCode"], "TaskFailedToStart")
        self.assertIn("/no/such/game", stopped["stoppedReason"])

    def test_scripted_games_answer_what_they_are_told(self):
        first, second = (self.address(made["task"]) for made in self.post("instances", count=2))
        task = next(game["task"] for game in self.get("world")["games"] if game["address"] == first)
        self.post("games", task=task, available_capacity=0)
        self.post("games", ready_to_close=True)
        later = self.address(self.post("instances")[0]["task"])
        self.assertEqual(health(first), {"available_capacity": 0, "ready_to_close": True})
        for address in (second, later):
            self.assertEqual(health(address), {"available_capacity": 10, "ready_to_close": True})

    def test_no_process_outlives_its_instance(self):
        self.post("agent", **PROCESSES)
        doomed, other = self.post("instances", count=2)
        until("two games", lambda: len(self.get("world")["games"]) == 2)
        pids = {game["instance"]: game["pid"] for game in self.get("world")["games"]}
        self.ec2.terminate_instances(InstanceIds=[doomed["instance"]])
        until("one has died", lambda: not exists(pids[doomed["instance"]]))
        self.assertTrue(exists(pids[other["instance"]]))

    def test_no_process_outlives_the_launcher(self):
        for end in ("stdin", signal.SIGTERM, signal.SIGKILL):
            with self.subTest(end):
                launcher = Launcher()
                self.addCleanup(launcher.close)
                launcher.post("world")
                launcher.post("agent", **PROCESSES, game_args=["stubborn"])
                launcher.post("instances")
                [game] = until("a game", lambda: launcher.get("world")["games"])
                until("health", lambda: answers(game["address"]))
                if end == "stdin":
                    launcher.process.stdin.close()
                else:
                    launcher.process.send_signal(end)
                launcher.process.wait(timeout=PATIENCE)
                until("the game has died", lambda: not exists(game["pid"]))


class Joining(Case):
    def launch_by(self, name: str, **template) -> str:
        data = {"InstanceType": "t3.small"} | template
        self.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
        answer = self.ec2.run_instances(LaunchTemplate={"LaunchTemplateName": name}, MinCount=1, MaxCount=1)
        return answer["Instances"][0]["InstanceId"]

    def test_a_machine_joins_the_cluster_that_its_user_data_names_and_no_other(self):
        def script(cluster: str) -> str:
            text = f"#!/bin/bash\ncat > /etc/ecs/ecs.config << END\nECS_CLUSTER={cluster}\nEND\n"
            return b64encode(text.encode()).decode()

        elsewhere = self.launch_by("elsewhere", UserData=script("chess"))
        nowhere = self.launch_by("nowhere", UserData=b64encode(b"#!/bin/bash").decode())
        here = self.launch_by("here", UserData=script("default"))
        until("the last one is registered", self.members)
        until("the others run", lambda: self.states() == ["running"] * 3)
        self.assertEqual([member["instance"] for member in self.get("world")["container_instances"]], [here])
        self.ecs.create_cluster(clusterName="chess")
        self.post("cluster", cluster="chess")
        self.launch_by("there", UserData=script("chess"))
        until("registered", lambda: self.ecs.list_container_instances(cluster="chess")["containerInstanceArns"])
        self.assertNotIn(elsewhere, [member["instance"] for member in self.get("world")["container_instances"]])
        self.assertNotIn(nowhere, [member["instance"] for member in self.get("world")["container_instances"]])

    def test_a_templates_interface_has_the_last_word_on_subnet_and_groups(self):
        subnet = self.ec2.describe_subnets()["Subnets"][-1]
        group = self.ec2.create_security_group(GroupName="games", Description="games", VpcId=subnet["VpcId"])["GroupId"]
        interface = {"DeviceIndex": 0, "SubnetId": subnet["SubnetId"], "Groups": [group]}
        self.launch_by("games", NetworkInterfaces=[interface])
        [machine] = self.instances()
        self.assertEqual(machine["SubnetId"], subnet["SubnetId"])
        self.assertEqual([group["GroupId"] for group in machine["SecurityGroups"]], [group])


class Permissions(Case):
    def enforce(self, *statements: dict) -> None:
        """From now on the clients are those of a user with that policy, and nobody may do what no policy allows."""
        iam = self.launcher.client("iam")
        iam.create_user(UserName="chess")
        made = iam.create_access_key(UserName="chess")["AccessKey"]
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_user_policy(UserName="chess", PolicyName="chess", PolicyDocument=policy)
        keys = (made["AccessKeyId"], made["SecretAccessKey"])
        self.ec2, self.ecs, self.iam = (self.launcher.client(service, keys) for service in ("ec2", "ecs", "iam"))
        url = f"{self.launcher.url}/moto-api/reset-auth"
        fetch(Request(url, b"0", {"Content-Type": "text/plain"}, method="POST"))

    def test_each_service_refuses_in_its_own_words(self):
        self.enforce({"Effect": "Allow", "Action": "ecs:ListTasks", "Resource": "*"})
        self.refused("UnauthorizedOperation", self.ec2.describe_vpcs)
        self.refused("AccessDeniedException", self.ecs.list_clusters)
        self.refused("AccessDenied", self.iam.list_roles)
        self.assertEqual(self.ecs.list_tasks()["taskArns"], [])

    def test_any_resource_counts_and_a_denial_outweighs_what_is_allowed(self):
        somewhere = "arn:aws:ec2:ap-south-1:123456789012:instance/i-0123456789abcdef0"
        self.enforce(
            {"Effect": "Allow", "Action": ["ec2:Describe*", "ecs:*"], "Resource": somewhere},
            {"Effect": "Deny", "Action": "ecs:ListTasks", "Resource": "*"},
            {"Effect": "Deny", "Action": "ec2:DescribeVpcs", "Resource": somewhere},
        )
        self.assertEqual(self.instances(), [])
        self.ecs.list_clusters()
        self.refused("AccessDeniedException", self.ecs.list_tasks)
        self.refused("UnauthorizedOperation", self.ec2.describe_vpcs)
        self.refused("UnauthorizedOperation", self.launch)

    def test_tags_at_a_launch_are_allowed_apart_and_a_dry_run_tells(self):
        self.enforce({"Effect": "Allow", "Action": ["ec2:RunInstances", "ec2:DescribeInstances"], "Resource": "*"})
        launch = {"LaunchTemplate": {"LaunchTemplateName": "defaultECS"}, "MinCount": 1, "MaxCount": 1}
        tags = [{"ResourceType": "instance", "Tags": [{"Key": FLEET, "Value": "chess"}]}]
        for dry_run in (True, False):
            tagged = launch | {"TagSpecifications": tags, "DryRun": dry_run}
            self.refused("UnauthorizedOperation", self.ec2.run_instances, **tagged)
        self.refused("DryRunOperation", self.ec2.run_instances, **launch, DryRun=True)
        self.assertEqual(self.instances(), [])
        self.ec2.run_instances(**launch)
        self.assertEqual(len(self.instances()), 1)


class Clock(Case):
    def test_answers_are_dated_by_a_clock_that_may_be_wrong(self):
        def ahead() -> float:
            date = self.ecs.list_clusters()["ResponseMetadata"]["HTTPHeaders"]["date"]
            return parsedate_to_datetime(date).timestamp() - time.time()

        # Dates are told in whole seconds, and read when the answer has come.
        self.assertLess(ahead(), 1)
        self.post("clock", ahead=7200)
        self.assertGreater(ahead(), 7200 - PATIENCE)
        self.post("clock", ahead=-7200)
        self.assertLess(ahead(), -7199)
        with self.assertRaises(ClientError) as caught:
            self.ecs.list_tasks(cluster="none")
        date = caught.exception.response["ResponseMetadata"]["HTTPHeaders"]["date"]
        self.assertLess(parsedate_to_datetime(date).timestamp() - time.time(), -7199)


class Stacks(Case):
    """What CloudFormation makes of a template that has one of each thing that is mended."""

    TEMPLATE = {
        "Parameters": {"Port": {"Type": "Number", "Default": 8000}},
        "Resources": {
            "Cluster": {"Type": "AWS::ECS::Cluster"},
            "Address": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}},
            "Setting": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Type": "String", "Value": {"Fn::Sub": "port = ${Port}"}},
            },
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
                    "Policies": [{"PolicyName": "chess", "PolicyDocument": {"Version": "2012-10-17", "Statement": []}}],
                },
            },
            "Definition": {
                "Type": "AWS::ECS::TaskDefinition",
                "Properties": {
                    "Family": "chess",
                    "NetworkMode": "bridge",
                    "RequiresCompatibilities": ["EC2"],
                    "TaskRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                    "ContainerDefinitions": [
                        {
                            "Name": "game",
                            "Image": "game",
                            "MemoryReservation": 256,
                            "PortMappings": [{"ContainerPort": {"Ref": "Port"}, "HostPort": 0}],
                        }
                    ],
                },
            },
        },
        "Outputs": {
            "Role": {"Value": {"Ref": "Role"}},
            "Address": {"Value": {"Fn::GetAtt": ["Address", "PublicIp"]}},
            "Setting": {"Value": {"Fn::GetAtt": ["Setting", "Value"]}},
        },
    }

    def setUp(self) -> None:
        super().setUp()
        self.cloudformation = self.launcher.client("cloudformation")

    def outputs(self) -> dict[str, str]:
        [stack] = self.cloudformation.describe_stacks(StackName="chess")["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def definition(self) -> dict:
        return self.ecs.describe_task_definition(taskDefinition="chess")["taskDefinition"]

    def test_it_is_made_changed_and_taken_away_as_a_whole(self):
        stack = {"StackName": "chess", "TemplateBody": json.dumps(self.TEMPLATE), "Capabilities": ["CAPABILITY_IAM"]}
        self.cloudformation.create_stack(**stack)
        made, iam = self.outputs(), self.launcher.client("iam")
        addresses = [address["PublicIp"] for address in self.ec2.describe_addresses()["Addresses"]]
        self.assertEqual((made["Setting"], [made["Address"]]), ("port = 8000", addresses))
        policy = iam.get_role_policy(RoleName=made["Role"], PolicyName="chess")["PolicyDocument"]
        self.assertEqual(policy, {"Version": "2012-10-17", "Statement": []})
        first = self.definition()
        self.assertEqual((first["networkMode"], first["requiresCompatibilities"]), ("bridge", ["EC2"]))
        self.assertTrue(first["taskRoleArn"].endswith(made["Role"]))

        # Of all that there is, only the parameter is another: what has its value by Fn::Sub or Ref changes, and the
        # rest stays what it is.
        self.cloudformation.update_stack(**stack, Parameters=[{"ParameterKey": "Port", "ParameterValue": "9000"}])
        self.assertEqual(self.outputs(), made | {"Setting": "port = 9000"})
        second = self.definition()
        self.assertEqual((first["revision"], second["revision"]), (1, 2))
        [mapping] = second["containerDefinitions"][0]["portMappings"]
        self.assertEqual(int(mapping["containerPort"]), 9000)

        self.cloudformation.delete_stack(StackName="chess")
        self.assertEqual((self.ec2.describe_addresses()["Addresses"], iam.list_roles()["Roles"]), ([], []))
        shown = self.ecs.describe_clusters(clusters=self.ecs.list_clusters()["clusterArns"])["clusters"]
        self.assertEqual([shown["clusterName"] for shown in shown if shown["status"] == "ACTIVE"], ["default"])


class Faults(Case):
    def test_an_error_is_answered_as_often_as_wanted(self):
        self.post("fail", action="RunInstances", code="InsufficientInstanceCapacity", message="none left", times=2)
        self.post("fail", action="RunTask", code="ThrottlingException", status=400)
        for _ in range(2):
            refusal = self.refused("InsufficientInstanceCapacity", self.launch)
            self.assertEqual(refusal["Error"]["Message"], "none left")
        self.launch()
        self.refused("ThrottlingException", self.run_task)
        calls = self.get("calls?action=RunInstances")
        self.assertEqual((self.get("count"), len(self.get("calls"))), (4, 4))
        self.assertEqual([call["status"] for call in calls], [500, 500, 200])
        self.assertEqual((calls[0]["error"], calls[2]["error"]), ("InsufficientInstanceCapacity", None))
        self.assertEqual(calls[0]["parameters"]["ClientToken"], "launch-1")

    def test_an_answer_may_be_lost_before_or_after_the_call_is_carried_out(self):
        for after, made in ((False, 0), (True, 1)):
            self.post("fail", action="RunInstances", after=after)
            with self.assertRaises(HTTPClientError):
                self.launch()
            self.assertEqual(len(self.instances()), made)
        self.launch()
        self.assertEqual(len(self.instances()), 1)
        self.assertEqual([call["status"] for call in self.get("calls?action=RunInstances")], [None, None, 200])

    def test_a_held_call_waits_for_its_release(self):
        for token, after in (("launch-1", True), ("launch-2", False)):
            with self.subTest(after=after), ThreadPoolExecutor(1) as pool:
                self.post("fail", action="RunInstances", hold=True, after=after)
                held = pool.submit(self.launch, token)
                until("held", lambda: any(call["status"] is None for call in self.get("calls?action=RunInstances")))
                until("the first is carried out", lambda: len(self.instances()) == 1)
                self.assertFalse(held.done())
                self.post("release")
                self.assertEqual(len(held.result()), 1)
        self.assertEqual(len(self.instances()), 2)

    def test_a_held_call_whose_caller_is_gone_is_not_carried_out(self):
        self.post("fail", action="RunInstances", hold=True)
        patient, self.ec2 = self.ec2, self.launcher.client("ec2", read_timeout=0.3)
        with self.assertRaises(HTTPClientError):
            self.launch()
        self.ec2 = patient
        self.post("release")
        time.sleep(0.2)
        self.assertEqual(self.instances(), [])

    def test_what_the_control_does_not_know_is_refused_by_name(self):
        for path, body, named in (
            ("nowhere", {}, "nowhere"),
            ("world", {"regoin": "eu-west-1"}, "regoin"),
            ("agent", {"comand": []}, "comand"),
            ("fail", {"action": "RunTask", "kode": "x"}, "kode"),
            ("vanish", {"instance": NO_INSTANCE}, NO_INSTANCE),
        ):
            with self.subTest(path), self.assertRaises(HTTPError) as caught:
                self.post(path, **body)
            self.assertIn(named, caught.exception.read().decode())


if __name__ == "__main__":
    unittest.main()
