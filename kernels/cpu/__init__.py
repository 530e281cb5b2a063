"""The kernels, compiled by Numba for the CPU: one operation a file."""

from .accuracy import accuracy
from .average_pooling import average_pooling_backward, average_pooling_forward
from .blas1 import add, asum, axpy, copy, dot, fill, scale, sum_of_squares
from .convolution import (
    NO_BIAS,
    convolution_backward_bias,
    convolution_backward_data,
    convolution_backward_weight,
    convolution_forward,
    convolution_workspace,
)
from .convolution_gradients import convolution_backward, convolution_max_pooling_backward
from .convolution_max_pooling import (
    convolution_max_pooling_backward_data,
    convolution_max_pooling_backward_weight,
    convolution_max_pooling_forward,
    convolution_max_pooling_workspace,
)
from .gemm import gemm
from .im2col import col2im, im2col
from .inner_product import (
    inner_product_backward_bias,
    inner_product_backward_data,
    inner_product_backward_weight,
    inner_product_forward,
)
from .max_pooling import max_pooling_backward, max_pooling_forward
from .relu import relu_backward, relu_forward
from .rng import rng_gaussian, rng_uniform
from .sgd import SEGMENT, sgd_update
from .softmax import softmax_backward, softmax_forward
from .softmax_loss import NO_LABEL, softmax_loss_backward, softmax_loss_forward
from .split_records import split_records
from .tanh import tanh_backward, tanh_forward
from .transform import transform

__all__ = [
    "NO_BIAS",
    "NO_LABEL",
    "SEGMENT",
    "accuracy",
    "add",
    "asum",
    "average_pooling_backward",
    "average_pooling_forward",
    "axpy",
    "col2im",
    "convolution_backward",
    "convolution_backward_bias",
    "convolution_backward_data",
    "convolution_backward_weight",
    "convolution_forward",
    "convolution_max_pooling_backward",
    "convolution_max_pooling_backward_data",
    "convolution_max_pooling_backward_weight",
    "convolution_max_pooling_forward",
    "convolution_max_pooling_workspace",
    "convolution_workspace",
    "copy",
    "dot",
    "fill",
    "gemm",
    "im2col",
    "inner_product_backward_bias",
    "inner_product_backward_data",
    "inner_product_backward_weight",
    "inner_product_forward",
    "max_pooling_backward",
    "max_pooling_forward",
    "relu_backward",
    "relu_forward",
    "rng_gaussian",
    "rng_uniform",
    "scale",
    "sgd_update",
    "softmax_backward",
    "softmax_forward",
    "softmax_loss_backward",
    "softmax_loss_forward",
    "split_records",
    "sum_of_squares",
    "tanh_backward",
    "tanh_forward",
    "transform",
]
