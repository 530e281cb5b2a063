"""Where a training stands in its data and in its random numbers."""

from collections.abc import Sequence
from typing import Any

from ..io import rng
from ..net.net import Net
from ..proto import caffe_pb2


def note_place(nets: Sequence[Net]) -> Any:
    """A SolverState that holds where each data layer of the nets stands, and the random state."""
    state = caffe_pb2.SolverState(random_state=rng.get_state())
    for index, net in enumerate(nets):
        for cursor in net.cursors():
            cursor.net = index
            state.cursor.append(cursor)
    return state


def return_to_place(nets: Sequence[Net], state: Any) -> None:
    """Go on where the SolverState was made; in one of Caffe's, which says nothing of it, from the
    first record."""
    for index, net in enumerate(nets):
        net.seek([cursor for cursor in state.cursor if cursor.net == index])
    if state.random_state:
        rng.set_state(state.random_state)
