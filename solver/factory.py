"""get_solver: the solver of the type that a prototxt names."""

from typing import Any

from ..errors import CaffeError, suggestion
from .param import solver_param
from .sgd import SGDSolver
from .solver import Solver

_SOLVERS: dict[str, type[Solver]] = {solver.type: solver for solver in (SGDSolver,)}
_TYPES_OF_CAFFE = ("SGD", "Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Adam")


def get_solver(solver: Any) -> Solver:
    """The solver that a prototxt (its path) or a SolverParameter describes, as pycaffe's.

    Raises CaffeError for a type that does not exist, and for all that the solver itself raises.
    """
    param = solver_param(solver)
    if param.type in _SOLVERS:
        return _SOLVERS[param.type](param)
    if param.type in _TYPES_OF_CAFFE:
        hint = f"this version does not have it yet; use {', '.join(_SOLVERS)}"
    else:
        hint = suggestion(param.type, _TYPES_OF_CAFFE)
    raise CaffeError(f"Unknown solver type: '{param.type}'; {hint}")
