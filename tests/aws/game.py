"""What the agent starts for a task: a game server, whatever it is made of."""

import time
from abc import ABC, abstractmethod
from signal import SIGKILL, SIGTERM, Signals


class Game(ABC):
    # The address that it listens on, and the process that it is, if it is one.
    address: str
    pid: int | None

    # When SIGTERM has had its time; none before it was sent.
    _kill_at: float | None = None

    @abstractmethod
    def exit_code(self) -> int | None:
        """As Docker tells it, where death by signal n is 128 + n; none while the game lives."""

    @abstractmethod
    def send(self, signal: Signals) -> None:
        """Sends a signal. One that is dead already takes no notice."""

    def stop(self, grace: float) -> None:
        """To be called until it is dead: "This results in a SIGTERM value and a default 30-second timeout, after which
        the SIGKILL value is sent." """
        if self._kill_at is None:
            self._kill_at = time.monotonic() + grace
            self.send(SIGTERM)
        elif time.monotonic() >= self._kill_at:
            self.send(SIGKILL)
