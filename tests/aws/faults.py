"""What is to go wrong with the next calls."""

from dataclasses import dataclass, field
from threading import Event, Lock


@dataclass
class Fault:
    action: str
    # The error to answer with; without one, and if the call is not held either, the connection is closed unanswered.
    code: str | None = None
    message: str = "a fault that the test asked for"
    status: int = 500
    # How many calls it meets.
    times: int = 1
    # Whether the call is carried out all the same, before its caller gets to know nothing of it.
    after: bool = False
    # Whether the call waits for its release.
    hold: bool = False
    released: Event = field(default_factory=Event, init=False)


class Faults:
    def __init__(self) -> None:
        self._lock = Lock()
        self._coming: list[Fault] = []
        self._held: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._coming.append(fault)

    def meet(self, action: str) -> Fault | None:
        """The fault that the next call of this action meets, each as often as it was told to."""
        with self._lock:
            fault = next((fault for fault in self._coming if fault.action == action), None)
            if fault is None:
                return None
            fault.times -= 1
            if fault.times <= 0:
                self._coming.remove(fault)
            if fault.hold:
                self._held.append(fault)
            return fault

    def release(self) -> None:
        """Lets all held calls go on, and holds no further ones."""
        with self._lock:
            self._coming = [fault for fault in self._coming if not fault.hold]
            for fault in self._held:
                fault.released.set()
            self._held.clear()
