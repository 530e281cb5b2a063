"""Reads nets and solvers of every format that Caffe ever had, and brings them to today's.

Each step logs what Caffe logs: V0 and V1 layers (upgrade_v0.py, upgrade_v1.py), fields that have
moved (upgrade_fields.py), and a solver's type (upgrade_solver.py).
"""

import os

from ..glog import logger
from .caffe_pb2 import NetParameter, SolverParameter
from .files import read_binary
from .prototxt import read_prototxt
from .upgrade_fields import (
    needs_upgrade_batch_norm,
    needs_upgrade_data,
    needs_upgrade_input,
    upgrade_batch_norm,
    upgrade_data,
    upgrade_input,
    warn_of_unread_fields,
)
from .upgrade_solver import complete_snapshot_prefix, upgrade_solver
from .upgrade_v0 import needs_upgrade_v0, upgrade_v0_net
from .upgrade_v1 import needs_upgrade_v1, upgrade_v1_net

_ATTEMPT = "Attempting to upgrade input file specified using deprecated %s: %s"
_SUCCESS = "Successfully upgraded file specified using deprecated %s"
_PROBLEMS = "Warning: had one or more problems upgrading %s (see above); continuing anyway."


def read_net_param(path: str | os.PathLike[str]) -> NetParameter:
    """The net that a prototxt describes, in today's format. Raises CaffeError."""
    net = read_prototxt(path, NetParameter())
    upgrade_net(net, str(path))
    return net


def read_net_param_binary(path: str | os.PathLike[str]) -> NetParameter:
    """The net, weights included, in a binary file such as a .caffemodel. Raises CaffeError."""
    net = read_binary(path, NetParameter())
    upgrade_net(net, str(path))
    return net


def read_solver_param(path: str | os.PathLike[str]) -> SolverParameter:
    """The solver that a prototxt describes, its own nets included, in today's format.

    Its snapshot_prefix is given a value where it has none. Raises CaffeError.
    """
    solver = read_prototxt(path, SolverParameter())
    upgrade_solver(solver, str(path))
    complete_snapshot_prefix(solver, str(path))
    for name in ("net_param", "train_net_param"):
        if solver.HasField(name):
            upgrade_net(getattr(solver, name), str(path))
    for net in solver.test_net_param:
        upgrade_net(net, str(path))
    return solver


def net_needs_upgrade(net: NetParameter) -> bool:
    """Whether any part of a net is in an old format."""
    return (
        needs_upgrade_v0(net)
        or needs_upgrade_v1(net)
        or needs_upgrade_data(net)
        or needs_upgrade_input(net)
        or needs_upgrade_batch_norm(net)
    )


def upgrade_net(net: NetParameter, source: str) -> bool:
    """Bring a net to today's format in place; `source` names it in the log and in errors.

    False where something of it could not be kept; the log says what. Raises CaffeError where
    there is no telling what the net means.
    """
    success = True
    if needs_upgrade_v0(net):
        logger.info(_ATTEMPT, "V0LayerParameter", source)
        if upgrade_v0_net(net, source):
            logger.info(_SUCCESS, "V0LayerParameter")
        else:
            logger.error(_PROBLEMS, "V0NetParameter to NetParameter")
            success = False
        logger.warning(
            "Note that future Caffe releases will not support V0NetParameter; use "
            "tools.upgrade_net_proto_text for prototxt and tools.upgrade_net_proto_binary for "
            "model weights upgrade this and any other net protos to the new format."
        )
    if needs_upgrade_data(net):
        logger.info(_ATTEMPT, "transformation parameters", source)
        upgrade_data(net)
        logger.info(_SUCCESS, "data transformation parameters.")
        logger.warning(
            "Note that future Caffe releases will only support transform_param messages for "
            "transformation fields."
        )
    if needs_upgrade_v1(net):
        logger.info(_ATTEMPT, "V1LayerParameter", source)
        if upgrade_v1_net(net, source):
            logger.info(_SUCCESS, "V1LayerParameter")
        else:
            logger.error(_PROBLEMS, "V1LayerParameter")
            success = False
    if needs_upgrade_input(net):
        logger.info(_ATTEMPT, "input fields", source)
        upgrade_input(net, source)
        logger.info(_SUCCESS, "input fields.")
        logger.warning(
            "Note that future Caffe releases will only support input layers and not input fields."
        )
    if needs_upgrade_batch_norm(net):
        logger.info("Attempting to upgrade batch norm layers using deprecated params: %s", source)
        upgrade_batch_norm(net)
        logger.info("Successfully upgraded batch norm layers using deprecated params.")
    warn_of_unread_fields(net, source)
    return success
