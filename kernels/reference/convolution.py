"""Convolution and its gradients, as sums over the positions k of the kernel.

    top[n, m, o] = bias[m] + sum over c, k of weight[m, c, k] * bottom[n, c, i]
        with i = o * stride + k * dilation - pad

For one k, the outputs see the (padded) image through a window, a slice with the stride as step;
its channels are mixed by the matrix weight[:, :, k]. Each group of channels is on its own.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from .im2col import padded, windows

NO_BIAS = np.empty(0, np.float32)  # given for a bias where there is none


def convolution_forward(
    bottom: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    top: np.ndarray,
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    group: int,
    workspace: np.ndarray,
    direct: bool = False,
) -> None:
    """top[n] = sum over k of weight[:, :, k] window_k(bottom[n]) + bias"""
    top[...] = 0
    for image, total in zip(bottom, top, strict=True):
        result = np.zeros(total.shape)
        for inputs, outputs in groups(group, image, total):
            source = padded(image[inputs], pad)
            for k, window in windows(weight.shape[2:], stride, dilation, top.shape[2:]):
                matrix = weight[outputs, :, *k]
                result[outputs] += np.tensordot(matrix, source[window], axes=1)
        if bias.size:
            result += bias.reshape(-1, *[1] * (top.ndim - 2))
        total[...] = result


def convolution_backward_data(
    top_diff: np.ndarray,
    weight: np.ndarray,
    bottom_diff: np.ndarray,
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    group: int,
    workspace: np.ndarray,
    direct: bool = False,
) -> None:
    """window_k(bottom_diff[n]) += weight[:, :, k]^T top_diff[n], for each k"""
    for image, gradient in zip(bottom_diff, top_diff, strict=True):
        result = padded(np.zeros(image.shape), pad)
        for inputs, outputs in groups(group, image, gradient):
            target = result[inputs]
            for k, window in windows(weight.shape[2:], stride, dilation, top_diff.shape[2:]):
                matrix = weight[outputs, :, *k]
                target[window] += np.tensordot(matrix.T, gradient[outputs], axes=1)
        inside = (slice(p, p + size) for p, size in zip(pad, image.shape[1:], strict=True))
        image[...] = result[:, *inside]


def convolution_backward_weight(
    bottom: np.ndarray,
    top_diff: np.ndarray,
    weight_diff: np.ndarray,
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    group: int,
    workspace: np.ndarray,
    direct: bool = False,
) -> None:
    """weight_diff[:, :, k] += sum over n of top_diff[n] window_k(bottom[n])^T"""
    result = weight_diff.astype(np.float64)
    space = tuple(range(1, top_diff.ndim - 1))  # the axes that the products sum over
    for image, gradient in zip(bottom, top_diff, strict=True):
        for inputs, outputs in groups(group, image, gradient):
            source = padded(image[inputs], pad)
            for k, window in windows(weight_diff.shape[2:], stride, dilation, top_diff.shape[2:]):
                product = np.tensordot(gradient[outputs], source[window], axes=(space, space))
                result[outputs, :, *k] += product
    weight_diff[...] = result


def convolution_backward_bias(top_diff: np.ndarray, bias_diff: np.ndarray) -> None:
    """bias_diff[m] += sum over n, o of top_diff[n, m, o]"""
    others = (0, *range(2, top_diff.ndim))
    bias_diff += top_diff.sum(axis=others, dtype=np.float64)


def convolution_workspace(
    bottom_shape: Sequence[int],
    weight_shape: Sequence[int],
    top_shape: Sequence[int],
    stride: Sequence[int],
    group: int,
) -> int:
    """The definition needs no workspace."""
    return 0


def groups(group: int, image: np.ndarray, output: np.ndarray) -> Iterator[tuple[slice, slice]]:
    """The input channels and the output channels of each group."""
    inputs, outputs = len(image) // group, len(output) // group
    for g in range(group):
        yield slice(g * inputs, (g + 1) * inputs), slice(g * outputs, (g + 1) * outputs)
