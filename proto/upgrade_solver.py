"""From a solver's old `solver_type: ADAM` to today's `type: "Adam"`, and its snapshot_prefix."""

import os

from ..errors import CaffeError
from ..glog import logger
from .caffe_pb2 import SolverParameter

_TYPES = {
    SolverParameter.SGD: "SGD",
    SolverParameter.NESTEROV: "Nesterov",
    SolverParameter.ADAGRAD: "AdaGrad",
    SolverParameter.RMSPROP: "RMSProp",
    SolverParameter.ADADELTA: "AdaDelta",
    SolverParameter.ADAM: "Adam",
}


def solver_needs_upgrade(solver: SolverParameter) -> bool:
    """Whether a solver gives its type in the old field."""
    return solver.HasField("solver_type")


def upgrade_solver(solver: SolverParameter, source: str) -> None:
    """Bring a solver to today's format in place; `source` names it in the log and in errors.

    Raises CaffeError for a solver with both the old and the new field.
    """
    if not solver_needs_upgrade(solver):
        return
    logger.info(
        "Attempting to upgrade input file specified using deprecated 'solver_type' field "
        "(enum)': %s",
        source,
    )
    if solver.HasField("type"):
        old = SolverParameter.SolverType.Name(solver.solver_type)
        raise CaffeError(
            f'{source}: has both solver_type: {old} (the old field) and type: "{solver.type}"; '
            "keep one of them"
        )
    solver.type = _TYPES[solver.solver_type]
    solver.ClearField("solver_type")
    logger.info(
        "Successfully upgraded file specified using deprecated 'solver_type' field (enum) to "
        "'type' field (string)."
    )
    logger.warning(
        "Note that future Caffe releases will only support 'type' field (string) for a solver's "
        "type."
    )


def complete_snapshot_prefix(solver: SolverParameter, path: str) -> None:
    """Name snapshots after the solver's file where its prefix is missing or is a folder."""
    stem = os.path.splitext(path)[0]
    if not solver.HasField("snapshot_prefix"):
        solver.snapshot_prefix = stem
        logger.info("snapshot_prefix was not specified and is set to %s", solver.snapshot_prefix)
    elif os.path.isdir(solver.snapshot_prefix):
        solver.snapshot_prefix = os.path.join(solver.snapshot_prefix, os.path.basename(stem))
        logger.info("snapshot_prefix was a directory and is replaced to %s", solver.snapshot_prefix)
