"""What SIGINT (Ctrl-C) and SIGHUP (the terminal is gone) ask of a training."""

import signal
from types import FrameType, TracebackType
from typing import Any

from caffe.errors import CaffeError
from caffe.solver import SolverAction

_EFFECTS = {
    "stop": SolverAction.STOP,
    "snapshot": SolverAction.SNAPSHOT,
    "none": SolverAction.NONE,
}


def signal_effect(flag: str, value: str) -> SolverAction:
    """The action that a flag's value names. Raises CaffeError for one that does not exist."""
    if value not in _EFFECTS:
        raise CaffeError(
            f'Invalid signal effect "{value}" was specified for --{flag}: use stop, snapshot '
            "or none"
        )
    return _EFFECTS[value]


class SignalHandler:
    """While entered, remembers the signals that come; `action` hands each out once.

    A signal never interrupts an iteration: the solver asks for the action between two of them.
    """

    def __init__(self, sigint_effect: SolverAction, sighup_effect: SolverAction):
        self._effects = {signal.SIGHUP: sighup_effect, signal.SIGINT: sigint_effect}
        self._got: set[int] = set()
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> "SignalHandler":
        for number in self._effects:
            self._previous[number] = signal.signal(number, self._remember)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self._got.add(number)

    def action(self) -> SolverAction:
        """What the signals since the last call ask for, one signal a call."""
        if self._got:
            for number, effect in self._effects.items():
                if number in self._got:
                    self._got.discard(number)
                    return effect
        return SolverAction.NONE
