"""im2col and col2im of one image: layers of LeNet, CIFAR-10-quick and CaffeNet."""

from typing import Any

import numpy as np
import pytest

from bench.aligned import empty, random
from bench.rivals import THREADS, compare, torch
from caffe.kernels import cpu

IMAGES = {  # channels, height = width, kernel, pad, stride
    "LeNet conv2": (20, 12, 5, 0, 1),
    "CIFAR-10-quick conv2": (32, 16, 5, 2, 1),
    "CaffeNet conv1": (3, 227, 11, 0, 4),
    "CaffeNet conv3": (256, 13, 3, 1, 1),
}


def numpy_windows(padded: np.ndarray, kernel: int, stride: int, out: int) -> np.ndarray:
    """(channels, kernel, kernel, out, out): a view of what each position of the kernel sees."""
    channel, row, column = padded.strides
    return np.lib.stride_tricks.as_strided(
        padded,
        (len(padded), kernel, kernel, out, out),
        (channel, row, column, stride * row, stride * column),
    )


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("name", IMAGES)
def test_im2col(benchmark: Any, name: str, threads: int) -> None:
    channels, size, kernel, pad, stride = IMAGES[name]
    out = (size + 2 * pad - kernel) // stride + 1
    image = random(channels, size, size)
    column, column_numpy = empty(2, channels * kernel * kernel, out * out)
    shape = (channels, kernel, kernel, out, out)

    def numpy() -> np.ndarray:
        padded = np.pad(image, [(0, 0), (pad, pad), (pad, pad)])
        windows = numpy_windows(padded, kernel, stride, out)
        np.copyto(column_numpy.reshape(shape), windows)
        return column_numpy

    rivals: dict[str, Any] = {"NumPy": numpy}
    if torch is not None:
        x = torch.from_numpy(image)[None]
        rivals["PyTorch"] = lambda: torch.nn.functional.unfold(x, kernel, 1, pad, stride)
    sizes = [(value, value) for value in (kernel, pad, stride, 1)]
    ours = lambda: cpu.im2col(image, *sizes, column)  # noqa: E731
    compare(benchmark, "im2col", name, threads, ours, column, rivals)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("name", IMAGES)
def test_col2im(benchmark: Any, name: str, threads: int) -> None:
    channels, size, kernel, pad, stride = IMAGES[name]
    out = (size + 2 * pad - kernel) // stride + 1
    column = random(channels * kernel * kernel, out * out)
    image = empty(channels, size, size)

    def numpy() -> np.ndarray:
        total = np.zeros((channels, size + 2 * pad, size + 2 * pad), np.float32)
        windows = numpy_windows(total, kernel, stride, out)
        source = column.reshape(windows.shape)
        for k in np.ndindex(kernel, kernel):
            windows[:, *k] += source[:, *k]
        return total[:, pad : pad + size, pad : pad + size]

    rivals: dict[str, Any] = {"NumPy": numpy}
    if torch is not None:
        x = torch.from_numpy(column)[None]
        rivals["PyTorch"] = lambda: torch.nn.functional.fold(x, size, kernel, 1, pad, stride)
    sizes = [(value, value) for value in (kernel, pad, stride, 1)]
    ours = lambda: cpu.col2im(column, *sizes, image)  # noqa: E731
    compare(benchmark, "col2im", name, threads, ours, image, rivals)
