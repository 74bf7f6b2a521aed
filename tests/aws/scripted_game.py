"""Game servers that are no more than an answer to `GET /health/`, dictated by the test. They all live in one thread, so
that hundreds of them fit into a small machine.
"""

import asyncio
import json
import socket
import threading
from collections.abc import Coroutine
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM, Signals

from game import Game


class ScriptedGames:
    """The thread that they live in."""

    def __init__(self) -> None:
        # What a game answers until it is told otherwise.
        self.health = {"available_capacity": 10, "ready_to_close": False}
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="scripted games", daemon=True).start()

    def start(self, ip: str, port: int) -> "ScriptedGame":
        listener = socket.create_server((ip, port))
        game = ScriptedGame(self, f"{ip}:{port}")
        self.run(game.serve(listener))
        return game

    def run(self, coroutine: Coroutine) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


class ScriptedGame(Game):
    pid = None

    def __init__(self, games: ScriptedGames, address: str) -> None:
        self.address = address
        self.health = dict(games.health)
        self._games = games
        self._exit_code: int | None = None
        self._answering = asyncio.Event()
        self._answering.set()
        self._connections: set[asyncio.StreamWriter] = set()

    def exit_code(self) -> int | None:
        return self._exit_code

    def send(self, signal: Signals) -> None:
        self._games.run(self._take(signal))

    async def serve(self, listener: socket.socket) -> None:
        self._server = await asyncio.start_server(self._converse, sock=listener)

    async def _take(self, signal: Signals) -> None:
        """What a process would do, as its clients see it."""
        if signal == SIGSTOP:
            self._answering.clear()
        elif signal == SIGCONT:
            self._answering.set()
        elif signal in (SIGTERM, SIGKILL):
            self._exit_code = 0 if signal == SIGTERM else 128 + signal
            self._server.close()
            for connection in self._connections:
                connection.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                await self._answering.wait()
                writer.write(self._answer(request))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._connections.remove(writer)
            writer.close()

    def _answer(self, request: bytes) -> bytes:
        if not request.startswith(b"GET /health/ "):
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        body = json.dumps(self.health).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body
