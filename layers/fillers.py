"""Fillers: the values that a parameter starts with.

Random numbers come from the one generator of `io/rng.py`, so `caffe.set_random_seed` repeats them.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import CaffeError, suggestion
from ..io.rng import generator
from .blob import Blob

FAN_IN, FAN_OUT, AVERAGE = 0, 1, 2  # FillerParameter.VarianceNorm


def fill(blob: Blob, filler: Any, error: Callable[[str], CaffeError] = CaffeError) -> None:
    """Overwrite `blob.data` with what the FillerParameter `filler` describes.

    error: makes the exception from its text; a layer passes its own `self.error`.
    Raises CaffeError for an unknown type, and for values or shapes that the type cannot work with.
    """
    try:
        compute = _FILLERS[filler.type]
    except KeyError:
        hint = suggestion(filler.type, _FILLERS)
        raise error(f"there is no filler type '{filler.type}'; {hint}") from None
    if blob.count == 0:
        raise error(f"cannot fill an empty blob of shape {blob.shape}; give each axis a length")
    if filler.sparse != -1 and filler.type != "gaussian":
        raise error(f"filler '{filler.type}' cannot be sparse; only 'gaussian' can")
    try:
        blob.data[...] = compute(blob.shape, filler)
    except ValueError as wrong:
        raise error(f"filler '{filler.type}': {wrong}") from None


def _constant(shape: tuple[int, ...], filler: Any) -> float:
    return filler.value


def _uniform(shape: tuple[int, ...], filler: Any) -> np.ndarray:
    """Uniform in [min, max)."""
    if filler.min > filler.max:
        raise ValueError(f"min {filler.min:g} is above max {filler.max:g}")
    return generator().uniform(filler.min, filler.max, shape)


def _gaussian(shape: tuple[int, ...], filler: Any) -> np.ndarray:
    """Normal(mean, std). With `sparse` = s, a value is kept with probability s / shape[0], else 0:
    each of the shape[0] outputs' weights then has about s connections from every input."""
    if filler.std <= 0:
        raise ValueError(f"std must be above 0, but is {filler.std:g}")
    values = generator().normal(filler.mean, filler.std, shape)
    if filler.sparse >= 0:
        if not shape:
            raise ValueError("sparse needs a blob of at least one axis")
        if filler.sparse > shape[0]:
            raise ValueError(f"sparse {filler.sparse} is above the number of outputs, {shape[0]}")
        values *= generator().random(shape) < filler.sparse / shape[0]
    return values


def _positive_unitball(shape: tuple[int, ...], filler: Any) -> np.ndarray:
    """Uniform in [0, 1), then scaled so that each output's values sum to 1."""
    values = generator().random(shape)
    rows = values.reshape(shape[0] if shape else 1, -1)
    rows /= rows.sum(axis=1, keepdims=True)
    return values


def _fan(shape: tuple[int, ...], filler: Any) -> float:
    """The n of xavier and msra: what one output adds up (FAN_IN), what one input feeds (FAN_OUT),
    or their mean."""
    count = math.prod(shape)
    fan_in = count / (shape[0] if shape else 1)
    fan_out = count / shape[1] if len(shape) > 1 else count
    if filler.variance_norm == AVERAGE:
        return (fan_in + fan_out) / 2
    return fan_out if filler.variance_norm == FAN_OUT else fan_in


def _xavier(shape: tuple[int, ...], filler: Any) -> np.ndarray:
    """Uniform in [-a, a), a = sqrt(3 / n) (Glorot and Bengio, 2010)."""
    limit = math.sqrt(3 / _fan(shape, filler))
    return generator().uniform(-limit, limit, shape)


def _msra(shape: tuple[int, ...], filler: Any) -> np.ndarray:
    """Normal(0, sqrt(2 / n)) (He, Zhang, Ren and Sun, 2015)."""
    return generator().normal(0, math.sqrt(2 / _fan(shape, filler)), shape)


def _bilinear(shape: tuple[int, ...], filler: Any) -> np.ndarray:
    """Weights with which a deconvolution interpolates bilinearly: a pyramid over each plane."""
    if len(shape) != 4 or shape[2] != shape[3]:
        raise ValueError(f"needs a blob of four axes, its last two equal, but has shape {shape}")
    size = shape[3]
    half = math.ceil(size / 2)
    center = (size - 1) / (2 * half)
    slope = 1 - np.abs(np.arange(size) / half - center)
    return np.broadcast_to(np.outer(slope, slope), shape)


_FILLERS: dict[str, Callable[[tuple[int, ...], Any], Any]] = {
    "constant": _constant,
    "uniform": _uniform,
    "gaussian": _gaussian,
    "positive_unitball": _positive_unitball,
    "xavier": _xavier,
    "msra": _msra,
    "bilinear": _bilinear,
}
