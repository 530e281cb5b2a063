"""The kernels, compiled by Numba for NVIDIA GPUs: the same files, functions and parameters as the
CPU's. Arrays are device arrays, float32 and C-contiguous unless said otherwise; an empty one, which
says that there is none, is NumPy's."""

from .convolution import (
    NO_BIAS,
    convolution_backward_bias,
    convolution_backward_data,
    convolution_backward_weight,
    convolution_forward,
    convolution_workspace,
)
from .im2col import col2im, im2col
from .recording import Recording
from .relu import relu_backward, relu_forward
from .resident_batch import resident_batch
from .tally import begin_update, collect, next_row

__all__ = [
    "NO_BIAS",
    "Recording",
    "begin_update",
    "col2im",
    "collect",
    "convolution_backward_bias",
    "convolution_backward_data",
    "convolution_backward_weight",
    "convolution_forward",
    "convolution_workspace",
    "im2col",
    "next_row",
    "relu_backward",
    "relu_forward",
    "resident_batch",
]
