"""Calls of the GPU's kernels, with arrays that stand in for the GPU's: those that LeNet makes, and
of CIFAR-10 quick and CaffeNet one of each kind, at the batch sizes of their own training."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from caffe.kernels import cuda


class Call(NamedTuple):
    """A call of a kernel, and what it is an example of."""

    case: str
    function: str
    arguments: tuple


class StandIn(np.ndarray):
    """An array with what kernels use of a device array beside NumPy's own."""

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return self.__array_interface__

    def copy_to_host(self) -> np.ndarray:
        """Zeros: nothing was computed."""
        return np.zeros(self.shape, self.dtype)


def array(*shape: int, dtype: Any = np.float32) -> StandIn:
    """A new one. Large ones take no memory, as nobody writes into them."""
    return np.empty(shape, dtype).view(StandIn)


def all_calls() -> Iterator[Call]:
    """Those of the three nets, and of kernels that nets seldom call. Each function has one."""
    yield from _lenet()
    yield from _cifar10_quick()
    yield from _caffenet()
    yield from _others()


def _lenet() -> Iterator[Call]:
    net, num = "LeNet", 64
    yield from _resident(net, 60000, num, (1, 28, 28))
    yield from _convolution(f"{net} conv1", (num, 1, 28, 28), 20, 5, max_pooling=True)
    yield from _convolution(f"{net} conv2", (num, 20, 12, 12), 50, 5, max_pooling=True)
    yield from _inner_product(f"{net} ip1", num, 800, 500)
    yield from _inner_product(f"{net} ip2", num, 500, 10)
    yield from _elementwise(f"{net} relu1", num * 500)
    yield from _loss(net, num, 10)
    yield from _update(net, 431080)


def _cifar10_quick() -> Iterator[Call]:
    net, num = "CIFAR-10 quick", 100
    yield from _transform(net, num, (3, 32, 32), (3, 32, 32))
    yield from _convolution(f"{net} conv1", (num, 3, 32, 32), 32, 5, 2)
    yield from _max_pooling(f"{net} pool1", (num, 32, 32, 32), 3, 2)
    yield from _convolution(f"{net} conv2", (num, 32, 16, 16), 32, 5, 2)
    yield from _average_pooling(f"{net} pool2", (num, 32, 16, 16), 3, 2)
    yield from _convolution(f"{net} conv3", (num, 32, 8, 8), 64, 5, 2)
    yield from _inner_product(f"{net} ip1", num, 1024, 64)


def _caffenet() -> Iterator[Call]:
    net, num = "CaffeNet", 256
    yield from _transform(net, num, (3, 256, 256), (3, 227, 227))
    yield from _convolution(f"{net} conv1", (num, 3, 227, 227), 96, 11, 0, 4)
    yield from _max_pooling(f"{net} pool1", (num, 96, 55, 55), 3, 2)
    yield from _convolution(f"{net} conv2", (num, 96, 27, 27), 256, 5, 2, group=2)
    yield from _convolution(f"{net} conv4", (num, 384, 13, 13), 384, 3, 1, group=2)
    yield from _inner_product(f"{net} fc6", num, 9216, 4096)
    yield from _inner_product(f"{net} fc8", num, 4096, 1000)
    yield from _loss(net, num, 1000)


def _others() -> Iterator[Call]:
    yield from _gemm("4096", 4096, 4096, 4096)
    yield from _gemm("1023 x 1025 x 1027", 1023, 1025, 1027)
    case, ones, zeros = "LeNet conv2", (1, 1), (0, 0)
    image, column = array(20, 12, 12), array(500, 64)
    yield Call(case, "im2col", (image, (5, 5), zeros, ones, ones, column))
    yield Call(case, "col2im", (column, (5, 5), zeros, ones, ones, image))
    case, x, y = "a million", array(10**6), array(10**6)
    for function in ("asum", "sum_of_squares"):
        yield Call(case, function, (x,))
    for function in ("copy", "dot"):
        yield Call(case, function, (x, y))
    for function in ("fill", "scale"):
        yield Call(case, function, (2.0, x))
    for function in ("rng_uniform", "rng_gaussian"):
        yield Call(case, function, (1, 0.0, 1.0, x))
    yield Call(case, "axpy", (2.0, x, y))
    yield Call(case, "add", (x, y, y))
    yield Call(case, "tanh_forward", (x, y))
    yield Call(case, "tanh_backward", (x, y, y))
    yield Call("an image of 21 classes", "softmax_forward", (array(1, 21, 250000),) * 2)
    yield Call("an image of 21 classes", "softmax_backward", (array(1, 21, 250000),) * 3)


def _convolution(
    case: str,
    bottom_shape: Sequence[int],
    outputs: int,
    side: int,
    pad: int = 0,
    stride: int = 1,
    group: int = 1,
    max_pooling: bool = False,  # of 2 x 2, with it
) -> Iterator[Call]:
    num, channels, height, _ = bottom_shape
    out = (height + 2 * pad - side) // stride + 1
    weight_shape, top_shape = (outputs, channels // group, side, side), (num, outputs, out, out)
    bottom, weight, top = array(*bottom_shape), array(*weight_shape), array(*top_shape)
    bias = array(outputs)
    form = (pad, pad), (stride, stride)
    rest = *form, (1, 1), group
    size = cuda.convolution_workspace(bottom_shape, weight_shape, top_shape, form[1], group)
    memory = array(size)
    if max_pooling:
        pooled = array(num, outputs, out // 2, out // 2)
        mask = array(*pooled.shape, dtype=np.int32)
        window = (2, 2), (0, 0), (2, 2)
        name = "convolution_max_pooling"
        arguments = bottom, weight, bias, top, pooled, mask, *form, group, window, memory
        yield Call(case, f"{name}_forward", arguments)
        memory = array(
            cuda.convolution_max_pooling_workspace(
                bottom_shape, weight_shape, pooled.shape, *form, group
            )
        )
        arguments = pooled, mask, weight, bottom, *form, group, window, memory
        yield Call(case, f"{name}_backward_data", arguments)
        arguments = bottom, pooled, mask, weight, *form, group, window, memory
        yield Call(case, f"{name}_backward_weight", arguments)
    yield Call(case, "convolution_forward", (bottom, weight, bias, top, *rest, memory))
    yield Call(case, "convolution_backward_data", (top, weight, bottom, *rest, memory))
    yield Call(case, "convolution_backward_weight", (bottom, top, weight, *rest, memory))
    yield Call(case, "convolution_backward_bias", (top, bias))


def _inner_product(case: str, num: int, inputs: int, outputs: int) -> Iterator[Call]:
    bottom, weight = array(num, inputs), array(outputs, inputs)
    bias, top = array(outputs), array(num, outputs)
    yield Call(case, "inner_product_forward", (bottom, weight, bias, top, False))
    yield Call(case, "inner_product_backward_data", (top, weight, bottom, False))
    yield Call(case, "inner_product_backward_weight", (bottom, top, weight, False))
    yield Call(case, "inner_product_backward_bias", (top, bias))


def _gemm(case: str, m: int, n: int, k: int) -> Iterator[Call]:
    for trans_a, trans_b in ((False, False), (False, True), (True, False), (True, True)):
        a, b = array(*((k, m) if trans_a else (m, k))), array(*((n, k) if trans_b else (k, n)))
        names = f"{case}, A{'^T' * trans_a} B{'^T' * trans_b}"
        yield Call(names, "gemm", (trans_a, trans_b, 1.0, a, b, 0.0, array(m, n)))


def _max_pooling(case: str, shape: Sequence[int], side: int, stride: int) -> Iterator[Call]:
    bottom, top, window = _pooling(shape, side, stride)
    mask = array(*top.shape, dtype=np.int32)
    yield Call(case, "max_pooling_forward", (bottom, top, mask, *window))
    yield Call(case, "max_pooling_backward", (top, mask, bottom, *window))


def _average_pooling(case: str, shape: Sequence[int], side: int, stride: int) -> Iterator[Call]:
    bottom, top, window = _pooling(shape, side, stride)
    yield Call(case, "average_pooling_forward", (bottom, top, *window))
    yield Call(case, "average_pooling_backward", (top, bottom, *window))


def _pooling(shape: Sequence[int], side: int, stride: int) -> tuple:
    num, channels, height, _ = shape
    out = -(-(height - side) // stride) + 1
    window = (side, side), (0, 0), (stride, stride)
    return array(*shape), array(num, channels, out, out), window


def _elementwise(case: str, count: int) -> Iterator[Call]:
    x, y = array(count), array(count)
    yield Call(case, "relu_forward", (x, y, 0.0))
    yield Call(case, "relu_backward", (x, y, y, 0.0))


def _loss(case: str, num: int, classes: int) -> Iterator[Call]:
    scores, label, one = array(num, classes, 1), array(num, 1), array(1)
    status, first_bad = array(2, dtype=np.int32), array(1, dtype=np.int32)
    none = cuda.NO_LABEL
    arguments = scores, label, none, 0.0, scores, one, status
    yield Call(case, "softmax_loss_forward", arguments)
    arguments = scores, label, none, one, 0.0, status, scores
    yield Call(case, "softmax_loss_backward", arguments)
    yield Call(case, "softmax_forward", (scores, scores))
    yield Call(case, "softmax_backward", (scores, scores, scores))
    yield Call(case, "accuracy", (scores, label, none, 1, one, array(0), first_bad))


def _transform(case: str, num: int, stored: Sequence[int], wanted: Sequence[int]) -> Iterator[Call]:
    images, mean = array(num, *stored, dtype=np.uint8), array(*stored)
    mirror, offsets = array(num, dtype=np.bool_), array(num, dtype=np.int64)
    arguments = images, mean, 1.0, mirror, offsets, offsets, array(num, *wanted)
    yield Call(case, "transform", arguments)


def _resident(case: str, items: int, num: int, shape: Sequence[int]) -> Iterator[Call]:
    images, position = array(items, *shape, dtype=np.uint8), array(1, dtype=np.int64)
    mean, out = array(1, 1, 1), array(num, *shape)
    arguments = images, array(items), position, mean, 1.0, 0, 0, out, array(num)
    yield Call(case, "resident_batch", arguments)


def _update(case: str, count: int) -> Iterator[Call]:
    one, row = array(1), array(1, dtype=np.int64)
    yield Call(case, "begin_update", (row, one, one, one, one, one, 1.0))
    yield Call(case, "collect", (one, 0, row, array(100, 2)))
    yield Call(case, "next_row", (row,))
    segments = -(-count // cuda.SEGMENT)
    values = array(segments * cuda.SEGMENT)
    each = array(segments)
    for l1 in (False, True):
        arguments = values, values, values, one, each, each, 0.9, l1, one
        yield Call(f"{case}, L{'1' if l1 else '2'}", "sgd_update", arguments)
