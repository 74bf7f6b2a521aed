"""Loopback addresses that stand for machines, so that many "machines" with the same port live on one host.

Each launcher claims blocks of 127.A.B.0/24 for itself, drawn at random with A from 16 to 250. A block is claimed by
holding a UDP socket on its first address for as long as the process lives: another launcher on this host cannot bind
it, and the kernel gives the block back however this one ends. Addresses go out in order, and a used-up block is
followed by another. Linux answers on all of 127.0.0.0/8 without any set-up.
"""

import random
import socket
from collections.abc import Iterator

# Any port does, as long as all launchers agree on it; this is the one that the real ECS agent reserves.
CLAIM_PORT = 51678

MOST_CLAIMS_TRIED = 1000


class Addresses:
    """The addresses of this launcher. None is given out twice."""

    def __init__(self) -> None:
        self._claims: list[socket.socket] = []
        self._unused: Iterator[str] = iter(())

    def take(self) -> str:
        for address in self._unused:
            return address
        block = self._claim_block()
        self._unused = iter([f"{block}.{host}" for host in range(2, 255)])
        return next(self._unused)

    def _claim_block(self) -> str:
        for _ in range(MOST_CLAIMS_TRIED):
            block = f"127.{random.randint(16, 250)}.{random.randint(0, 255)}"
            claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                claim.bind((f"{block}.1", CLAIM_PORT))
            except OSError:
                claim.close()
                continue
            self._claims.append(claim)
            return block
        raise RuntimeError(f"no block of loopback addresses is free: {MOST_CLAIMS_TRIED} were tried")


addresses = Addresses()


def free_port(address: str) -> int:
    """A port that nobody listens on, from the kernel's ephemeral range, as Docker picks a dynamic host port."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]
