"""A game server that is a process of its own. It never outlives the launcher."""

import ctypes
import subprocess
from signal import SIGKILL, Signals

from game import Game

PR_SET_PDEATHSIG = 1

# Looked up here, since the child between fork and exec must not.
prctl = ctypes.CDLL(None).prctl


class GameProcess(Game):
    def __init__(self, command: list[str], address: str) -> None:
        """To be called from the launcher's main thread: the death signal comes when the *thread* that forked ends."""
        self.address = address
        # What the game logs to stderr is seen; the launcher's stdout is the launcher's own.
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, preexec_fn=die_with_parent
        )
        self.pid = self._process.pid

    def exit_code(self) -> int | None:
        code = self._process.poll()
        return 128 - code if code is not None and code < 0 else code

    def send(self, signal: Signals) -> None:
        self._process.send_signal(signal)


def die_with_parent() -> None:
    prctl(PR_SET_PDEATHSIG, SIGKILL)
