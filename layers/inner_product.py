"""InnerProduct, the fully connected layer: top = bottom W^T + bias."""

import math
from collections.abc import Sequence

from .blob import Blob
from .layer import Layer
from .registry import register


@register
class InnerProduct(Layer):
    """(*rows, *inputs) to (*rows, num_output): the axes from `axis` on are taken as one vector.

    Parameters: W (num_output, K), or (K, num_output) with `transpose`, K being the length of that
    vector; and, unless bias_term is false, bias (num_output,).
    """

    type = "InnerProduct"
    has_gpu_twin = True

    def setup(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Raises CaffeError where num_output is missing or the axis does not exist."""
        param = self.param.inner_product_param
        if param.num_output < 1:
            raise self.error("inner_product_param needs num_output, a number above 0")
        self.transpose: bool = param.transpose
        axis = self.canonical_axis(param.axis, len(bottom[0].shape))
        self.num_inputs = math.prod(bottom[0].shape[axis:])
        shape = (param.num_output, self.num_inputs)
        self.add_parameter(shape[::-1] if self.transpose else shape, param.weight_filler)
        if param.bias_term:
            self.add_parameter((param.num_output,), param.bias_filler)

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Raises CaffeError for a bottom that does not fit the weights."""
        param = self.param.inner_product_param
        shape = bottom[0].shape
        axis = self.canonical_axis(param.axis, len(shape))
        if math.prod(shape[axis:]) != self.num_inputs:
            raise self.error(
                f"the weights are for {self.num_inputs} inputs, but the bottom's shape {shape} "
                f"gives {math.prod(shape[axis:])} from axis {axis} on"
            )
        rows = math.prod(shape[:axis])
        self.bottom_view = (rows, self.num_inputs)
        self.top_view = (rows, param.num_output)
        top[0].reshape(*shape[:axis], param.num_output)

    def operations(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> int:
        """Each output is a sum of num_inputs products."""
        return 2 * top[0].count * self.num_inputs

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Multiply and add the bias."""
        self.kernels.inner_product_forward(
            self.data(bottom[0], self.bottom_view),
            self.data(self.blobs[0]),
            self.data(self.blobs[1]) if len(self.blobs) > 1 else self.kernels.NO_BIAS,
            self.data(top[0], self.top_view),
            self.transpose,
        )

    def backward(
        self, top: Sequence[Blob], propagate_down: Sequence[bool], bottom: Sequence[Blob]
    ) -> None:
        """The gradients by the weights, the bias and the bottom."""
        top_diff = self.diff(top[0], self.top_view)
        if self.param_propagate_down[0]:
            self.kernels.inner_product_backward_weight(
                self.data(bottom[0], self.bottom_view),
                top_diff,
                self.diff(self.blobs[0]),
                self.transpose,
            )
        if len(self.blobs) > 1 and self.param_propagate_down[1]:
            self.kernels.inner_product_backward_bias(top_diff, self.diff(self.blobs[1]))
        if propagate_down[0]:
            self.kernels.inner_product_backward_data(
                top_diff,
                self.data(self.blobs[0]),
                self.diff(bottom[0], self.bottom_view),
                self.transpose,
            )
