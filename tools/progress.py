"""The line below a training's log: iteration, speed, loss and time left. Only on a terminal."""

import sys
import time

from caffe import glog
from caffe.solver import Solver

_INTERVAL = 0.25  # seconds between two updates
_MEMORY = 5.0  # seconds over which the speed is averaged


class Progress:
    """Follows a solver while entered; where stderr is no terminal it does nothing."""

    def __init__(self, solver: Solver):
        self._solver = solver
        self._speed = 0.0  # iterations a second
        self._shown_at = time.monotonic()
        self._shown_iter = solver.iter
        if sys.stderr is not None and sys.stderr.isatty():
            solver.add_callback(self._on_start, lambda: None)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *exception: object) -> None:
        glog.status("")

    def _on_start(self) -> None:
        now = time.monotonic()
        seconds = now - self._shown_at
        if seconds < _INTERVAL:
            return
        solver = self._solver
        speed = (solver.iter - self._shown_iter) / seconds
        share = min(seconds / _MEMORY, 1.0) if self._speed else 1.0
        self._speed += share * (speed - self._speed)
        self._shown_at, self._shown_iter = now, solver.iter
        glog.status(progress_line(solver.iter, solver.param.max_iter, self._speed, solver.loss))


def progress_line(iteration: int, max_iter: int, speed: float, loss: float) -> str:
    """For example "Iteration 1234/10000 (12%), 345 iter/s, loss 0.0312, 0:25 left"."""
    line = f"Iteration {iteration}/{max_iter} ({100 * iteration // max(max_iter, 1)}%)"
    if speed > 0:
        minutes, seconds = divmod(int((max_iter - iteration) / speed), 60)
        hours, minutes = divmod(minutes, 60)
        left = f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
        line += f", {speed:.3g} iter/s, loss {loss:.4g}, {left} left"
    return line
