"""Convolution and its gradients on some operands, alone and with the max pooling behind it."""

from typing import Any

import numpy as np
from kernel_testing import ON_GPU, run_kernel

from caffe.kernels import cpu, reference
from caffe.kernels.reference.im2col import output_shape


class _OnGpu:
    """The GPU's kernels as functions of NumPy arrays, which they change in place."""

    def __getattr__(self, name):
        def call(*arguments):
            left, returned = run_kernel(name, *arguments)
            for array, result in zip(arguments, left, strict=True):
                if isinstance(array, np.ndarray):
                    array[...] = result
            return returned

        return call


TESTED = _OnGpu() if ON_GPU else cpu


def run_convolution(kernels, bottom, weight, bias, form, group, seed=1):
    """Forward and all gradients. What is overwritten starts as NaN, what is added to does not."""
    rng = np.random.default_rng(seed)
    outputs = output_shape(bottom.shape[2:], weight.shape[2:], *form)
    top = np.full((len(bottom), len(weight), *outputs), np.nan, np.float32)
    top_diff = rng.normal(size=top.shape).astype(np.float32)
    weight_diff = rng.normal(size=weight.shape).astype(np.float32)
    bias_diff = rng.normal(size=len(weight)).astype(np.float32)
    bottom_diff = np.full_like(bottom, np.nan)
    size = kernels.convolution_workspace(bottom.shape, weight.shape, top.shape, form[1], group)
    common = (*form, group, np.full(size, np.nan, np.float32))
    kernels.convolution_forward(bottom, weight, bias, top, *common)
    kernels.convolution_backward_data(top_diff, weight, bottom_diff, *common)
    kernels.convolution_backward_weight(bottom, top_diff, weight_diff, *common)
    kernels.convolution_backward_bias(top_diff, bias_diff)
    both = np.full_like(bottom, np.nan), rng.normal(size=weight.shape).astype(np.float32)
    kernels.convolution_backward(bottom, top_diff, weight, both[1], both[0], *common)
    return {
        "top": top,
        "bottom_diff": bottom_diff,
        "weight_diff": weight_diff,
        "bias_diff": bias_diff,
        "bottom_diff, both": both[0],
        "weight_diff, both": both[1],
    }


def run_convolution_max_pooling(
    kernels, operands, pad, stride, group, window, zeros=0.0, chosen=None
):
    """Forward and all gradients. What is overwritten starts as NaN, what is added to does not.
    chosen: a mask for the gradients in place of what forward finds."""
    rng = np.random.default_rng(1)
    bottom, weight, bias = operands
    outputs = output_shape(bottom.shape[2:], weight.shape[2:], pad, stride, (1, 1))
    top = np.full((len(bottom), len(weight), *outputs), np.nan, np.float32)
    kernel, _, pooling_stride = window
    pooled_size = [
        -(-(outputs[i] - kernel[i]) // pooling_stride[i]) + 1 for i in (0, 1)
    ]  # rounded up, as Caffe does
    pooled = np.full((*top.shape[:2], *pooled_size), np.nan, np.float32)
    mask = np.full(pooled.shape, -1, np.int32)
    size = kernels.convolution_workspace(bottom.shape, weight.shape, top.shape, stride, group)
    workspace = np.full(size, np.nan, np.float32)
    kernels.convolution_max_pooling_forward(
        bottom, weight, bias, top, pooled, mask, pad, stride, group, window, workspace
    )
    pooled_diff = rng.normal(size=pooled.shape).astype(np.float32)
    pooled_diff[rng.random(pooled.shape) < zeros] = 0
    weight_diff = rng.normal(size=weight.shape).astype(np.float32)
    bottom_diff = np.full_like(bottom, np.nan)
    size = kernels.convolution_max_pooling_workspace(
        bottom.shape, weight.shape, pooled.shape, pad, stride, group
    )
    form = (pad, stride, group, window, np.full(size, np.nan, np.float32))
    gradients = (pooled_diff, mask if chosen is None else chosen)
    kernels.convolution_max_pooling_backward_data(*gradients, weight, bottom_diff, *form)
    kernels.convolution_max_pooling_backward_weight(bottom, *gradients, weight_diff, *form)
    both = np.full_like(bottom, np.nan), rng.normal(size=weight.shape).astype(np.float32)
    kernels.convolution_max_pooling_backward(bottom, *gradients, weight, both[1], both[0], *form)
    return {
        "top": top,
        "pooled": pooled,
        "mask": mask,
        "weight_diff": weight_diff,
        "bottom_diff": bottom_diff,
        "bottom_diff, both": both[0],
        "weight_diff, both": both[1],
    }


def assert_runs_agree(run: Any, *case: Any, tolerance: float = 1e-5, **more: Any) -> None:
    """What `run` computes by the kernels under test and by the definitions, to `tolerance` of
    itself and of the largest value. Masks are the same, or point to values that are."""
    ours = run(TESTED, *case, **more)
    if "mask" in ours:
        more["chosen"] = mask = ours.pop("mask")
    wanted = run(reference, *case, **more)
    if wanted.pop("mask", None) is not None:
        places = mask.reshape(*mask.shape[:2], -1)
        values = np.take_along_axis(wanted["top"].reshape(*mask.shape[:2], -1), places, 2)
        ours["maxima"], wanted["maxima"] = values.reshape(mask.shape), wanted["pooled"]
    for name, expected in wanted.items():
        largest = np.abs(expected).max()
        np.testing.assert_allclose(
            ours[name], expected, tolerance, tolerance * largest, err_msg=name
        )
