"""Pooling: the maximum or the average of each window of a plane.

The number of windows along an axis of length L is

    round((L + 2 pad - kernel) / stride) + 1,

rounded up unless round_mode is FLOOR. Rounded up, the last window may reach over the edge; it is
then cut off there, and with padding it is dropped where it would start beyond the image.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..kernels.synced_memory import SyncedArray
from .blob import Blob
from .layer import Layer
from .registry import register

MAX, AVE, STOCHASTIC = 0, 1, 2  # PoolingParameter.PoolMethod
Pair = tuple[int, int]
FLOOR = 1  # PoolingParameter.RoundMode


@register
class Pooling(Layer):
    """(N, C, H, W) to (N, C, PH, PW).

    With MAX an optional second top has the index, row * W + column, of each maximum.
    """

    type = "Pooling"
    num_top = (1, 2)
    has_gpu_twin = True

    def setup(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Raises CaffeError for parameters that contradict each other, as Caffe does."""
        param = self.param.pooling_param
        if param.pool == STOCHASTIC:
            raise self.error("pool: STOCHASTIC is not supported yet; use MAX or AVE")
        if len(top) > 1 and param.pool != MAX:
            raise self.error("only pool: MAX makes a second top blob, the mask")
        self.is_max = param.pool == MAX
        self.mask = SyncedArray((0,), np.int32)
        self.pad = self._pair(param, "pad", "pad")
        self.stride = self._pair(param, "stride", "stride")
        if min(self.stride) < 1:
            raise self.error(f"stride must be above 0, but is {self.stride}")
        if param.global_pooling:
            self._check_global(param)
            return
        self.kernel = self._pair(param, "kernel_size", "kernel")
        if min(self.kernel) < 1:
            raise self.error(
                f"kernel_size (or kernel_h and kernel_w) must be above 0, but is {self.kernel}"
            )
        if any(pad >= kernel for pad, kernel in zip(self.pad, self.kernel, strict=True)):
            raise self.error(f"pad {self.pad} must be below the kernel, {self.kernel}")

    def _pair(self, param: Any, field: str, prefix: str) -> tuple[int, int]:
        """(vertical, horizontal) from one field or from the two with _h and _w."""
        vertical, horizontal = f"{prefix}_h", f"{prefix}_w"
        given = [param.HasField(name) for name in (field, vertical, horizontal)]
        if given in ([False, True, True], [False, False, False], [True, False, False]):
            if given[1]:
                return getattr(param, vertical), getattr(param, horizontal)
            return (getattr(param, field),) * 2
        raise self.error(f"give either {field} or both {vertical} and {horizontal}")

    def _check_global(self, param: Any) -> None:
        if any(param.HasField(name) for name in ("kernel_size", "kernel_h", "kernel_w")):
            raise self.error("global_pooling takes its kernel from the input; leave it out")
        if self.pad != (0, 0) or self.stride != (1, 1):
            raise self.error("global_pooling works with pad 0 and stride 1 only")

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Raises CaffeError unless the bottom has four axes and the kernel fits into it."""
        shape = bottom[0].shape
        if len(shape) != 4:
            raise self.error(
                f"needs a bottom of four axes (num, channels, height, width), but its shape is "
                f"{shape}"
            )
        if self.param.pooling_param.global_pooling:
            self.kernel = shape[2:]
        pooled = [self._pooled_length(shape[2 + axis], axis) for axis in (0, 1)]
        for blob in top:
            blob.reshape(*shape[:2], *pooled)
        if self.is_max and self.mask.shape != top[0].shape:
            self.mask = SyncedArray(top[0].shape, np.int32)

    @property
    def window(self) -> tuple[Pair, Pair, Pair]:
        """Kernel, pad and stride."""
        return self.kernel, self.pad, self.stride

    def _pooled_length(self, length: int, axis: int) -> int:
        kernel, pad, stride = self.kernel[axis], self.pad[axis], self.stride[axis]
        room = length + 2 * pad - kernel
        floor = self.param.pooling_param.round_mode == FLOOR
        pooled = (room // stride if floor else -(-room // stride)) + 1
        if any(self.pad) and (pooled - 1) * stride >= length + pad:
            pooled -= 1
        name = ("height", "width")[axis]
        if pooled < 1:
            raise self.error(
                f"a kernel of {kernel} does not fit into the bottom's {name}, {length}, padded by "
                f"{pad} on both sides"
            )
        if (pooled - 1) * stride - pad >= length:
            raise self.error(
                f"with stride {stride} and kernel {kernel} the last window lies outside the "
                f"bottom's {name}, {length}; use round_mode: FLOOR"
            )
        return pooled

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Pool each window."""
        source, pooled = self.data(bottom[0]), self.data(top[0])
        if not self.is_max:
            self.kernels.average_pooling_forward(source, pooled, *self.window)
            return
        mask = self.array(self.mask)
        self.kernels.max_pooling_forward(source, pooled, mask, *self.window)
        if len(top) > 1:
            self.kernels.copy(mask.reshape(-1), self.data(top[1], -1))

    def backward(
        self, top: Sequence[Blob], propagate_down: Sequence[bool], bottom: Sequence[Blob]
    ) -> None:
        """To each maximum its output's gradient, or to each value its share."""
        if not propagate_down[0]:
            return
        pooled_diff, diff = self.diff(top[0]), self.diff(bottom[0])
        if self.is_max:
            self.kernels.max_pooling_backward(
                pooled_diff, self.array(self.mask), diff, *self.window
            )
        else:
            self.kernels.average_pooling_backward(pooled_diff, diff, *self.window)
