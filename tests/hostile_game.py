"""A game server for tests that takes no players, and turns hostile when it is told to.

`python hostile_game.py IP PORT`, in a directory that the test writes to: a file named `IP`, or one named `born-…` for
whoever comes first, says by its content what `GET /health/` meets from now on, one of the names in HOSTILE. Of
`redirect` it says where to as well. What is told so is told once: whoever listens at that address later is good.
`GET /asked` answers how often health was asked for.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from glob import glob

GOOD = b'{"available_capacity": 7, "ready_to_close": false}'
BIG = b" " * 10_000_000
PIECE = b" " * 64_000


def answer(body: bytes, head: str = "200 OK", length: int | None = None) -> bytes:
    length = len(body) if length is None else length
    return f"HTTP/1.1 {head}\r\nContent-Length: {length}\r\n\r\n".encode() + body


def chunk(body: bytes) -> bytes:
    return f"{len(body):x}\r\n".encode() + body + b"\r\n"


async def at_once(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def for_ever(beginning: bytes, piece: bytes) -> AsyncIterator[bytes]:
    yield beginning
    while True:
        yield piece


async def slowly(text: bytes, at_once: int = 0) -> AsyncIterator[bytes]:
    """One byte a second after so many at once."""
    yield text[:at_once]
    for at in range(at_once, len(text)):
        await asyncio.sleep(1)
        yield text[at : at + 1]


async def never() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


HEAD_OF_GOOD = len(answer(GOOD)) - len(GOOD)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

# By name: what is sent, given what stands behind the name. The connection ends with it.
HOSTILE = {
    "noise": lambda _: at_once(os.urandom(1000)),
    "garbage": lambda _: at_once(answer(b"42 fine, thank you")),
    "wrong-types": lambda _: at_once(answer(b'{"available_capacity": "7", "ready_to_close": 0}')),
    "negative": lambda _: at_once(answer(b'{"available_capacity": -7, "ready_to_close": false}')),
    "error": lambda _: at_once(answer(GOOD, "500 Internal Server Error")),
    "redirect": lambda to: at_once(answer(b"", f"302 Found\r\nLocation: {to}")),
    "big": lambda _: at_once(answer(BIG + GOOD)),
    "big-chunked": lambda _: at_once(CHUNKED, chunk(BIG), chunk(GOOD), chunk(b"")),
    "endless-body": lambda _: for_ever(CHUNKED, chunk(PIECE)),
    "endless-head": lambda _: for_ever(b"HTTP/1.1 200 OK\r\nServer: ", PIECE),
    "endless-continue": lambda _: for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "slow-head": lambda _: slowly(answer(GOOD)),
    "slow-body": lambda _: slowly(answer(GOOD), HEAD_OF_GOOD),
    "short": lambda _: at_once(answer(GOOD, length=len(GOOD) + 1)),
    "never": lambda _: never(),
    "closes": lambda _: at_once(),
}


class Game:
    def __init__(self, ip: str) -> None:
        self._ip = ip
        self._hostility = ""
        self._asked = 0
        for told in sorted(glob("born-*")):
            self._listen_to(told)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                self._listen_to(self._ip)
                if request.startswith(b"GET /asked "):
                    writer.write(answer(str(self._asked).encode()))
                elif not self._hostility:
                    self._asked += 1
                    writer.write(answer(GOOD))
                else:
                    name, _, rest = self._hostility.partition(" ")
                    async for piece in HOSTILE[name](rest):
                        writer.write(piece)
                        await writer.drain()
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _listen_to(self, told: str) -> None:
        """Takes up what is told in that file, unless another one did."""
        if self._hostility:
            return
        taken = f"taken-{os.getpid()}"
        try:
            os.rename(told, taken)
        except FileNotFoundError:
            return
        with open(taken) as file:
            self._hostility = file.read()


async def main(ip: str, port: str) -> None:
    server = await asyncio.start_server(Game(ip).converse, ip, int(port))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
