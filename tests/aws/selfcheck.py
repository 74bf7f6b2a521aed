"""Drives freshly started launchers with boto3: each mend, each control call, and each habit of the agent.

`python selfcheck.py` takes the options of unittest, such as -v and the names of tests.
"""

import json
import signal
import subprocess
import sys
import time
import unittest
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
PROCESSES = {"command": [sys.executable, "-c", GAME, "{ip}", "{port}"], "in_process": False}


class Launcher:
    """A launcher, its control calls and its AWS clients, which try once."""

    def __init__(self) -> None:
        script = str(Path(__file__).with_name("launcher.py"))
        self.process = subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.url = self.process.stdout.readline().decode().removeprefix("listening on ").strip()
        self.ec2, self.ecs = self.client("ec2"), self.client("ecs")

    def client(self, service: str, **options):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="ap-south-1",
            aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=20, **options),
        )

    def post(self, path: str, **body):
        return fetch(Request(f"{self.url}/_test/{path}", json.dumps(body).encode(), method="POST"))

    def get(self, path: str):
        return fetch(f"{self.url}/_test/{path}")

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()


def fetch(request: Request | str, timeout: float = 10):
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


def until(what: str, condition: Callable, timeout: float = 30):
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
        self.post("lag", pending_ms=300, shutting_down_ms=300)
        ids = [machine["InstanceId"] for machine in self.launch()]
        self.assertEqual(self.states(), ["pending"])
        until("running", lambda: self.states() == ["running"])
        self.refused("InvalidInstanceID.NotFound", self.ec2.terminate_instances, InstanceIds=[*ids, NO_INSTANCE])
        self.assertEqual(self.states(), ["running"])
        for _ in range(2):
            self.ec2.terminate_instances(InstanceIds=ids)
            self.assertEqual(self.states(), ["shutting-down"])
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
        self.post("lag", describe_instances_ms=400)
        ids = [machine["InstanceId"] for machine in self.launch()]
        self.assertEqual(self.instances(), [])
        self.refused("InvalidInstanceID.NotFound", self.ec2.describe_instances, InstanceIds=ids)
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
        self.post("lag", list_tasks_ms=500)
        self.assertEqual(listed(), [])
        until("listed", listed)
        self.post("vanish", task=arn)
        self.assertEqual((listed(), listed(desiredStatus="STOPPED")), ([arn], []))
        until("stopped", lambda: listed(desiredStatus="STOPPED") == [arn])
        self.assertEqual(listed(), [])


class Agents(Case):
    def test_they_register_late_or_never_as_they_are_told(self):
        self.post("agent", never_register=1, boot_delay=0)
        self.launch("launch-1")
        until("kept out", lambda: self.post("agent")["never_register"] == 0)
        self.post("agent", register_late=0.5)
        [late] = self.launch("launch-2")
        started = time.monotonic()
        [arn] = until("registered", self.members)
        self.assertGreater(time.monotonic() - started, 0.5)
        self.assertEqual(self.member(arn)["ec2InstanceId"], late["InstanceId"])

    def test_a_process_ends_at_sigterm_or_else_after_its_grace(self):
        for arguments, exit_code in (([], 3), (["stubborn"], 137)):
            with self.subTest(arguments):
                self.post("agent", **PROCESSES, game_args=arguments, stop_grace=0.5)
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
                launcher.process.wait(timeout=30)
                until("the game has died", lambda: not exists(game["pid"]))


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
