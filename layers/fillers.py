"""Fillers: the values that a parameter starts with.

Random numbers are those of the kernels in `rng.py`, on the CPU and on the GPU the same. Each
drawing has a seed of its own from the one generator of `io/rng.py`, so `caffe.set_random_seed`
repeats them.
"""

import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from ..errors import CaffeError, suggestion
from ..io.rng import fresh_seed, generator
from ..kernels import cpu
from .blob import Blob

FAN_IN, FAN_OUT, AVERAGE = 0, 1, 2  # FillerParameter.VarianceNorm


def fill(
    blob: Blob,
    filler: Any,
    error: Callable[[str], CaffeError] = CaffeError,
    kernels: ModuleType = cpu,
) -> None:
    """Overwrite `blob.data` with what the FillerParameter `filler` describes.

    error: makes the exception from its text; a layer passes its own `self.error`.
    kernels: the twin that draws random numbers.
    Raises CaffeError for an unknown type, and for values or shapes that the type cannot work with.
    """
    try:
        write = _FILLERS[filler.type]
    except KeyError:
        hint = suggestion(filler.type, _FILLERS)
        raise error(f"there is no filler type '{filler.type}'; {hint}") from None
    if blob.count == 0:
        raise error(f"cannot fill an empty blob of shape {blob.shape}; give each axis a length")
    if filler.sparse != -1 and filler.type != "gaussian":
        raise error(f"filler '{filler.type}' cannot be sparse; only 'gaussian' can")
    try:
        write(blob, filler, kernels)
    except ValueError as wrong:
        raise error(f"filler '{filler.type}': {wrong}") from None


def _flat(blob: Blob, kernels: ModuleType) -> Any:
    return blob.data_as(-1) if kernels is cpu else blob.device_data_as(-1)


def _constant(blob: Blob, filler: Any, kernels: ModuleType) -> None:
    blob.data[...] = filler.value


def _uniform(blob: Blob, filler: Any, kernels: ModuleType) -> None:
    """Uniform from min to max."""
    if filler.min > filler.max:
        raise ValueError(f"min {filler.min:g} is above max {filler.max:g}")
    kernels.rng_uniform(fresh_seed(), filler.min, filler.max, _flat(blob, kernels))


def _gaussian(blob: Blob, filler: Any, kernels: ModuleType) -> None:
    """Normal(mean, std). With `sparse` = s, a value is kept with probability s / shape[0], else 0:
    each of the shape[0] outputs' weights then has about s connections from every input."""
    if filler.std <= 0:
        raise ValueError(f"std must be above 0, but is {filler.std:g}")
    if filler.sparse >= 0 and not blob.shape:
        raise ValueError("sparse needs a blob of at least one axis")
    if filler.sparse >= 0 and filler.sparse > blob.shape[0]:
        raise ValueError(f"sparse {filler.sparse} is above the number of outputs, {blob.shape[0]}")
    kernels.rng_gaussian(fresh_seed(), filler.mean, filler.std, _flat(blob, kernels))
    if filler.sparse >= 0:
        blob.data[...] *= generator().random(blob.shape) < filler.sparse / blob.shape[0]


def _positive_unitball(blob: Blob, filler: Any, kernels: ModuleType) -> None:
    """Uniform from 0 to 1, then scaled so that each output's values sum to 1."""
    kernels.rng_uniform(fresh_seed(), 0.0, 1.0, _flat(blob, kernels))
    rows = blob.data.reshape(blob.shape[0] if blob.shape else 1, -1)
    rows /= rows.sum(axis=1, keepdims=True)


def _fan(shape: tuple[int, ...], filler: Any) -> float:
    """The n of xavier and msra: what one output adds up (FAN_IN), what one input feeds (FAN_OUT),
    or their mean."""
    count = math.prod(shape)
    fan_in = count / (shape[0] if shape else 1)
    fan_out = count / shape[1] if len(shape) > 1 else count
    if filler.variance_norm == AVERAGE:
        return (fan_in + fan_out) / 2
    return fan_out if filler.variance_norm == FAN_OUT else fan_in


def _xavier(blob: Blob, filler: Any, kernels: ModuleType) -> None:
    """Uniform from -a to a, a = sqrt(3 / n) (Glorot and Bengio, 2010)."""
    limit = math.sqrt(3 / _fan(blob.shape, filler))
    kernels.rng_uniform(fresh_seed(), -limit, limit, _flat(blob, kernels))


def _msra(blob: Blob, filler: Any, kernels: ModuleType) -> None:
    """Normal(0, sqrt(2 / n)) (He, Zhang, Ren and Sun, 2015)."""
    std = math.sqrt(2 / _fan(blob.shape, filler))
    kernels.rng_gaussian(fresh_seed(), 0.0, std, _flat(blob, kernels))


def _bilinear(blob: Blob, filler: Any, kernels: ModuleType) -> None:
    """Weights with which a deconvolution interpolates bilinearly: a pyramid over each plane."""
    shape = blob.shape
    if len(shape) != 4 or shape[2] != shape[3]:
        raise ValueError(f"needs a blob of four axes, its last two equal, but has shape {shape}")
    size = shape[3]
    half = math.ceil(size / 2)
    center = (size - 1) / (2 * half)
    slope = 1 - np.abs(np.arange(size) / half - center)
    blob.data[...] = np.outer(slope, slope)


_FILLERS: dict[str, Callable[[Blob, Any, ModuleType], None]] = {
    "constant": _constant,
    "uniform": _uniform,
    "gaussian": _gaussian,
    "positive_unitball": _positive_unitball,
    "xavier": _xavier,
    "msra": _msra,
    "bilinear": _bilinear,
}
