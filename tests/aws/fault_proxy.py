"""A proxy in front of the launcher that does wrong to the AWS calls that a rule names: microburst, on a free port.

`python fault_proxy.py UPSTREAM` prints one line, `listening on http://127.0.0.1:PORT`, and serves until SIGTERM, SIGINT,
or the end of its stdin. Rules are set, and what they met is told, under /_microburst/.
"""

import asyncio
import logging
import socket
import sys

from aiohttp import web
from microburst.app import make_app
from microburst.core.pipeline import Microburst


async def main(upstream: str) -> None:
    # That a caller does not wait for its answer is no news.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    runner = web.AppRunner(make_app(Microburst(upstream)), access_log=None)
    await runner.setup()
    # microburst itself takes no port 0.
    listener = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listener).start()
    print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
