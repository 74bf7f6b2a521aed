"""What is to go wrong with the next calls."""

from dataclasses import dataclass, field
from threading import Event, Lock

from calls import Call


@dataclass
class Fault:
    action: str
    # The calls of the action that it may meet: those with these parameters.
    parameters: dict = field(default_factory=dict)
    # It meets the first of so many such calls, and lets the others pass.
    every: int = 1
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
    passed: int = field(default=0, init=False)

    def may_meet(self, call: Call) -> bool:
        return self.action == call.action and self.parameters.items() <= call.parameters.items()

    def is_due(self) -> bool:
        self.passed += 1
        return (self.passed - 1) % self.every == 0


class Faults:
    def __init__(self) -> None:
        self._lock = Lock()
        self._coming: list[Fault] = []
        self._held: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._coming.append(fault)

    def meet(self, call: Call) -> Fault | None:
        """The fault that this call meets, each as often as it was told to."""
        with self._lock:
            fault = next((fault for fault in self._coming if fault.may_meet(call)), None)
            if fault is None or not fault.is_due():
                return None
            fault.times -= 1
            if fault.times <= 0:
                self._coming.remove(fault)
            if fault.hold:
                self._held.append(fault)
            return fault

    def forget(self) -> None:
        """Has no further call meet a fault."""
        with self._lock:
            self._coming.clear()

    def release(self) -> None:
        """Lets all held calls go on, and holds no further ones."""
        with self._lock:
            self._coming = [fault for fault in self._coming if not fault.hold]
            for fault in self._held:
                fault.released.set()
            self._held.clear()
