"""im2col and col2im: see caffe.kernels.cpu.im2col for the equations."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np


def output_shape(
    inputs: Sequence[int],
    kernel: Sequence[int],
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
) -> tuple[int, ...]:
    """How many windows fit along each axis: out = (in + 2 pad - extent) / stride + 1, rounded
    down, where the window's extent is dilation (kernel - 1) + 1."""
    axes = zip(inputs, kernel, pad, stride, dilation, strict=True)
    return tuple((i + 2 * p - (d * (k - 1) + 1)) // s + 1 for i, k, p, s, d in axes)


def padded(image: np.ndarray, pad: Sequence[int]) -> np.ndarray:
    """A float64 copy of `image` (first axis: channels) with zeros around the spatial axes."""
    return np.pad(image.astype(np.float64), [(0, 0), *((p, p) for p in pad)])


def windows(
    kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], out: Sequence[int]
) -> Iterator[tuple[Any, Any]]:
    """For each position k in the kernel, the slices of a padded image (channels first) that the
    outputs see there: at o * stride + k * dilation for each output o."""
    for k in np.ndindex(*kernel):
        first = [position * d for position, d in zip(k, dilation, strict=True)]
        axes = zip(first, stride, out, strict=True)
        yield k, (slice(None), *(slice(f, f + s * (o - 1) + 1, s) for f, s, o in axes))


def im2col(
    image: np.ndarray,
    kernel: Sequence[int],
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    column: np.ndarray,
) -> None:
    """column[(c, k), o] = image[c, o * stride + k * dilation - pad], 0 outside the image."""
    out = output_shape(image.shape[1:], kernel, pad, stride, dilation)
    source = padded(image, pad)
    target = column.reshape(image.shape[0], *kernel, *out)
    for k, seen in windows(kernel, stride, dilation, out):
        target[:, *k] = source[seen]


def col2im(
    column: np.ndarray,
    kernel: Sequence[int],
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    image: np.ndarray,
) -> None:
    """image[c, i] = sum of column[(c, k), o] over o * stride + k * dilation - pad = i."""
    out = output_shape(image.shape[1:], kernel, pad, stride, dilation)
    total = padded(np.zeros_like(image), pad)
    source = column.reshape(image.shape[0], *kernel, *out)
    for k, seen in windows(kernel, stride, dilation, out):
        total[seen] += source[:, *k]
    inside = (slice(p, p + size) for p, size in zip(pad, image.shape[1:], strict=True))
    image[...] = total[:, *inside]
