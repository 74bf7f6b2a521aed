"""A local AWS for tests: moto as a server with its mends, and ECS agents that start real game servers.

`python launcher.py` prints one line, `listening on http://127.0.0.1:PORT`, and serves until SIGTERM, SIGINT, or the end
of its stdin. Every game server ends with it, however it ends. Nothing listens beyond the loopback interface.
"""

import logging
import os
import signal
import sys
import time
from threading import Thread

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request

import mends_cloudformation
import mends_ec2
import mends_ecs
import mends_iam
import mends_servicequotas
from agent import Agent
from control import Control
from faults import Faults
from gateway import Gateway
from world import World

# How often the agents look, in seconds.
PACE = 0.03


class Application:
    """Sends the tests' own calls one way, and those to AWS the other."""

    def __init__(self, control: Control, gateway: Gateway) -> None:
        self._control = control
        self._gateway = gateway

    def __call__(self, environ: dict, start_response):
        request = Request(environ)
        if request.path.startswith("/_test/"):
            response = self._control.answer(request)
        else:
            response = self._gateway.answer(environ)
        return response(environ, start_response)


class Handler(WSGIRequestHandler):
    """Dates its answers by AWS's clock, which a test may put before or behind this machine's."""

    gateway: Gateway

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(time.time() + self.gateway.clock_ahead)


def main() -> None:
    # A line for every request would drown what matters.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    mends_cloudformation.install()
    mends_ec2.install()
    mends_ecs.install()
    mends_iam.install()
    mends_servicequotas.install()
    world, faults = World(), Faults()
    agent, gateway = Agent(world), Gateway(world, faults)
    application = Application(Control(world, agent, faults, gateway), gateway)
    Handler.gateway = gateway
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Handler)
    Thread(target=server.serve_forever, name="server", daemon=True).start()

    # No way of ending takes any tidying up: the kernel kills the games with this process. Python would have a
    # traceback for SIGINT, and would take moto's objects apart one by one.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    Thread(target=end_with_stdin, name="stdin", daemon=True).start()
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)

    # Games die with the thread that they were forked from, so it is the main one.
    while True:
        with world.lock:
            agent.step()
        time.sleep(PACE)


def end_with_stdin() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
