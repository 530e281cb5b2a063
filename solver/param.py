"""The SolverParameter that a solver is made from, and what must hold for its numbers."""

import operator
import os
from typing import Any

from ..errors import CaffeError
from ..proto import caffe_pb2
from ..proto.upgrade import read_solver_param
from ..proto.upgrade_solver import upgrade_solver


def solver_param(solver: Any) -> Any:
    """A SolverParameter of its own, in today's format: read from a prototxt where `solver` is a
    path, else a copy of the SolverParameter given.

    Raises CaffeError where the file cannot be read, and TypeError for anything else.
    """
    if isinstance(solver, str | os.PathLike):
        return read_solver_param(solver)
    if not isinstance(solver, caffe_pb2.SolverParameter):
        raise TypeError(f"give the path of a solver prototxt or a SolverParameter, not {solver!r}")
    param = caffe_pb2.SolverParameter()
    param.CopyFrom(solver)
    upgrade_solver(param, "solver")
    return param


def check_counts(param: Any) -> None:
    """Raise CaffeError where average_loss or iter_size is not positive."""
    for name in ("average_loss", "iter_size"):
        if getattr(param, name) < 1:
            raise CaffeError(f"solver: {name} is {getattr(param, name)}; it must be positive")


def check_max_iter(param: Any) -> None:
    """Raise CaffeError where the solver does not say how long to train."""
    if not param.HasField("max_iter"):
        raise CaffeError("solver: max_iter is not given; say how many iterations to train")
    if param.max_iter < 0:
        raise CaffeError(f"solver: max_iter is {param.max_iter}; it must not be negative")


def whole_count(iterations: int) -> int:
    """The number that `step` was given. Raises CaffeError where it is no whole one or negative."""
    try:
        count = operator.index(iterations)
    except TypeError:
        count = -1
    if count < 0:
        raise CaffeError(f"step({iterations!r}): give a whole number of iterations, 0 or more")
    return count
