"""The SolverParameter that a solver is made from."""

import os
from typing import Any

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
