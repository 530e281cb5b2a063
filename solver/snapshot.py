"""Snapshots: a .caffemodel with the weights and a .solverstate with all else that a resume needs.

Beyond Caffe's fields a solverstate of ours holds where each data layer stands, the state of the
random numbers and the losses that are still averaged, so that a resumed training goes on exactly
as if it had never stopped. They are in field numbers that Caffe ignores.
"""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import CaffeError
from ..glog import logger
from ..io.files import remove_leftovers, write_together
from ..layers.blob import Blob
from ..layers.blob_storage import blob_to_proto, count_of_values, proto_to_blob, shape_equals
from ..net.net import Net
from ..proto import caffe_pb2
from ..proto.files import read_binary, relative_to

_HDF5 = caffe_pb2.SolverParameter.HDF5
_NO_STATES = {
    ".h5": "a solver state in HDF5 cannot be read yet; resume from a .solverstate",
    ".caffemodel": "is weights, not a solver state; give the .solverstate beside it",
    ".prototxt": "is a description, not a solver state; give a .solverstate",
}


def snapshot_path(param: Any, iteration: int, extension: str) -> str:
    """PREFIX_iter_N.EXTENSION, as Caffe names it."""
    return f"{param.snapshot_prefix}_iter_{iteration}.{extension}"


def check_format(param: Any) -> None:
    """Raise CaffeError where the solver asks for a format that cannot be written."""
    if param.snapshot_format == _HDF5:
        raise CaffeError(
            "snapshot_format: HDF5 cannot be written yet; use snapshot_format: BINARYPROTO"
        )


def prepare(param: Any) -> None:
    """Check that snapshots can be written: better now than after a day's training. Remove the
    temporary files that killed trainings with this snapshot_prefix left."""
    check_prefix(param)
    folder, name = os.path.split(param.snapshot_prefix)
    remove_leftovers(folder or ".", f"{name}_iter_")


def check_prefix(param: Any) -> None:
    """Raise CaffeError where snapshots cannot be written.

    Missing is the snapshot_prefix, or its folder, or the right to write there.
    """
    if not param.HasField("snapshot_prefix"):
        raise CaffeError(
            "In solver params, a snapshot is asked for but snapshot_prefix is not given; give "
            "one, for example the model's name"
        )
    prefix = param.snapshot_prefix
    folder = os.path.dirname(prefix) or "."
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CaffeError(
            f"Cannot write to snapshot prefix '{prefix}' ({error.strerror}){relative_to(prefix)}. "
            f"Make sure that the directory {folder} exists and is writable."
        ) from error


def write_snapshot(net: Net, state: Any, param: Any) -> None:
    """Write the net's weights and the solver's state with their path, each whole or not at all.

    A state is never beside weights that are not its own: where there is a pair of this iteration
    already, its state is removed before its weights are replaced. So a kill amid the renaming
    leaves weights without a state; pairs of other iterations stay as they are. Raises CaffeError
    where the two cannot be written.
    """
    model_path = snapshot_path(param, state.iter, "caffemodel")
    state_path = snapshot_path(param, state.iter, "solverstate")
    state.learned_net = model_path
    logger.info("Snapshotting to binary proto file %s", model_path)
    logger.info("Snapshotting solver state to binary proto file %s", state_path)
    write_together(
        {
            model_path: net.to_proto(param.snapshot_diff).SerializeToString(),
            state_path: state.SerializeToString(),
        }
    )


def read_state(path: str) -> Any:
    """The SolverState in a file, with the path of its weights made good.

    Raises CaffeError for a file that is missing, damaged, of another kind or in HDF5.
    """
    for extension, hint in _NO_STATES.items():
        if path.endswith(extension):
            raise CaffeError(f"{path}: {hint}")
    state = read_binary(path, caffe_pb2.SolverState())
    if not state.HasField("iter"):
        raise CaffeError(f"{path}: is not a solver state; give a .solverstate")
    if state.learned_net:
        state.learned_net = _find_weights(state.learned_net, path)
    return state


def _find_weights(path: str, state_path: str) -> str:
    beside = Path(state_path).with_name(Path(path).name)
    for candidate in (path, str(beside)):
        if os.path.exists(candidate):
            return candidate
    raise CaffeError(
        f"{state_path}: its weights, {path}, do not exist; put that file back, or beside the state"
    )


def write_history(history: Iterable[Blob], state: Any) -> None:
    """Store the update rule's history in a SolverState."""
    for blob in history:
        blob_to_proto(blob, state.history.add())


def check_history(history: list[Blob], state: Any, path: str) -> None:
    """Raise CaffeError where the history of the state at `path` does not fit this solver's."""
    if len(state.history) != len(history):
        raise CaffeError(
            f"{path}: Incorrect length of history blobs: the state has {len(state.history)}, "
            f"this solver {len(history)}; resume with the net and the solver type that wrote it"
        )
    for index, (proto, blob) in enumerate(zip(state.history, history, strict=True)):
        if not shape_equals(blob.shape, proto) or count_of_values(proto) != blob.count:
            raise CaffeError(
                f"{path}: history blob {index} does not fit: this net's parameter has the shape "
                f"{blob.shape_text}, the state's {list(proto.shape.dim)} with "
                f"{count_of_values(proto)} values; resume with the net that wrote it"
            )


def read_history(history: list[Blob], state: Any) -> None:
    """Copy the (checked) history of a SolverState."""
    for proto, blob in zip(state.history, history, strict=True):
        proto_to_blob(proto, blob)
