"""The nets that a SolverParameter names: one to train, any number to test."""

import os
from typing import Any

from ..errors import CaffeError
from ..glog import logger
from ..kernels.cpu.jit import compiled_count
from ..net.compile_ahead import compile_backward_ahead
from ..net.net import Net
from ..proto import caffe_pb2
from ..proto.upgrade import read_net_param

_TRAIN_FIELDS = ("net", "net_param", "train_net", "train_net_param")
_NO_WEIGHTS = {
    ".solverstate": "is a solver state, not weights; give the .caffemodel beside it, or resume "
    "with --snapshot",
    ".prototxt": "is a description, not weights; give a .caffemodel",
}


def make_train_net(param: Any) -> Net:
    """The net that the solver trains, with the weights of its `weights` field.

    Raises CaffeError where none or several are given.
    """
    given = [name for name in _TRAIN_FIELDS if param.HasField(name)]
    if not given:
        raise CaffeError(
            "SolverParameter must specify a train net using one of these fields: "
            + ", ".join(_TRAIN_FIELDS)
        )
    if len(given) > 1:
        raise CaffeError(
            "SolverParameter must not contain more than one of the fields specifying a train "
            f"net; it has {' and '.join(given)}"
        )
    (field,) = given
    if field.endswith("_param"):
        logger.info("Creating training net specified in %s.", field)
        net_param = getattr(param, field)
    else:
        logger.info("Creating training net from %s file: %s", field, getattr(param, field))
        net_param = _read_net(field, getattr(param, field))
    net_param = _with_state(net_param, caffe_pb2.TRAIN, param.train_state)
    compiled = compiled_count()
    net = Net.from_param(net_param)
    if compiled_count() > compiled:  # and so will the passes
        compile_backward_ahead(net, net_param)
    load_weights(net, param.weights)
    return net


def make_test_nets(param: Any) -> list[Net]:
    """The nets to test on: those of test_net_param, those of test_net, then one of net or
    net_param for each test_iter left.

    Raises CaffeError where test_iter, test_state or test_interval do not fit them.
    """
    sources = ["test_net_param"] * len(param.test_net_param)
    sources += [f"test_net file: {path}" for path in param.test_net]
    params = [*param.test_net_param, *(_read_net("test_net", path) for path in param.test_net)]
    spare = len(param.test_iter) - len(params)
    generic = param.HasField("net") or param.HasField("net_param")
    if spare < 0 or (spare > 0 and not generic):
        raise CaffeError(
            "test_iter must be specified for each test network: the solver has "
            f"{len(param.test_iter)} test_iter for {len(params)} test nets"
        )
    if spare and param.HasField("net"):
        sources += [f"net file: {param.net}"] * spare
        params += [_read_net("net", param.net)] * spare
    elif spare:
        sources += ["net_param"] * spare
        params += [param.net_param] * spare
    if len(param.test_state) not in (0, len(params)):
        raise CaffeError(
            "test_state must be unspecified or specified once per test net: the solver has "
            f"{len(param.test_state)} for {len(params)} test nets"
        )
    if params and param.test_interval <= 0:
        raise CaffeError("the solver has test nets, but no test_interval; give a positive one")
    if any(count <= 0 for count in param.test_iter):
        raise CaffeError("each test_iter of the solver must be positive")
    nets = []
    for index, (source, net_param) in enumerate(zip(sources, params, strict=True)):
        state = param.test_state[index] if param.test_state else None
        logger.info("Creating test net (#%d) specified by %s", index, source)
        net = Net.from_param(_with_state(net_param, caffe_pb2.TEST, state))
        net.debug_info = param.debug_info
        load_weights(net, param.weights)
        nets.append(net)
    return nets


def load_weights(net: Net, weights: Any) -> None:
    """Load weights, one .caffemodel or several with commas between them an entry, into a net.

    Raises CaffeError for an entry without a name, and for a file that holds no weights for it.
    """
    for entry in weights:
        paths = [path.strip() for path in entry.split(",") if path.strip()]
        if not paths:
            raise CaffeError(f"weights '{entry}': no file is named; give a .caffemodel")
        for path in paths:
            for extension, hint in _NO_WEIGHTS.items():
                if path.endswith(extension):
                    raise CaffeError(f"{path}: {hint}")
            logger.info("Finetuning from %s", path)
            net.copy_from(path)


def _read_net(field: str, path: str) -> Any:
    try:
        return read_net_param(path)
    except CaffeError as error:
        if os.path.exists(path):
            raise
        raise CaffeError(f"{error}; it is the solver's {field}") from error


def _with_state(net_param: Any, phase: caffe_pb2.Phase, state: Any) -> Any:
    """A copy of the net's description whose NetState is: the phase, overridden by what the net
    itself says, overridden by what the solver says."""
    merged = caffe_pb2.NetState(phase=phase)
    merged.MergeFrom(net_param.state)
    if state is not None:
        merged.MergeFrom(state)
    own = caffe_pb2.NetParameter()
    own.CopyFrom(net_param)
    own.state.CopyFrom(merged)
    return own
