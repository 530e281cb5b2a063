"""Training: the loop, the update rules, learning-rate policies and snapshots."""

from .factory import get_solver
from .sgd import SGDSolver
from .solver import Solver, SolverAction

__all__ = ["SGDSolver", "Solver", "SolverAction", "get_solver"]
