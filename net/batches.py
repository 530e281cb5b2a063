"""Cutting many items into the net's batches, and joining what comes out."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import CaffeError


def batches(arrays: dict[str, np.ndarray], size: int) -> tuple[int, Iterator[dict[str, Any]]]:
    """The number of items, and the arrays cut along axis 0 into batches of `size` items.

    The last batch is padded with zeros. Raises CaffeError where the arrays differ in length.
    """
    counts = {name: len(array) for name, array in arrays.items()}
    if len(set(counts.values())) != 1:
        raise CaffeError(f"give arrays of one length, one entry an item; given {counts}")
    count = next(iter(counts.values()))
    if count == 0:
        raise CaffeError("there are no items: the arrays given are empty")
    return count, (_cut(arrays, start, size) for start in range(0, count, size))


def _cut(arrays: dict[str, np.ndarray], start: int, size: int) -> dict[str, Any]:
    part: dict[str, Any] = {}
    for name, array in arrays.items():
        piece = np.asarray(array[start : start + size])
        padding = np.zeros((size - len(piece), *piece.shape[1:]), piece.dtype)
        part[name] = np.concatenate([piece, padding])
    return part


def join_batches(outs: list[dict[str, np.ndarray]], count: int) -> dict[str, np.ndarray]:
    """Join the outputs of all batches along axis 0 and cut the padding off.

    Outputs with one value a batch (a loss) keep one value a batch.
    """
    joined = {}
    for name in outs[0] if outs else ():
        parts = [out[name] for out in outs]
        if parts[0].ndim:
            whole = np.concatenate(parts)
            joined[name] = whole[:count] if len(whole) >= count else whole
        else:
            joined[name] = np.array(parts)
    return joined
