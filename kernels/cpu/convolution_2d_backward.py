"""The gradients of a convolution over two spatial axes, as products of matrices.

With the shifted copies of convolution_2d.py, X[r, p] being copies[r + p]:

    data gradient     X[start[r], p] = sum over r, m of W[m, r] top_diff[m, p]; the image is then
                      the sum of its copies, each moved back
    weight gradient   W_diff[m, r] += sum over n, p of top_diff[n, m, p] X[n, start[r], p]

n counts images, m the outputs of a group, r its windows' rows (c, ky, kx), p output pixels. The
tasks of the first are as in forward. The second is a product of rows with rows (dot_kernel.py); its
tasks are tiles of W_diff, each of which sums the images in their order. So results are the same to
the bit for any number of threads.
"""

import numpy as np

from . import convolution_lanes, convolution_lanes_weight
from .convolution_2d import NO_POOLING, aligned, memories, planes, rows, slide_memories
from .convolution_plan import Plan
from .dot_kernel import SIDE, dot_kernel
from .gemm import COLUMNS, ROWS, micro_kernel
from .jit import jit
from .parallel import parallel_for
from .shifted_copies import add_copies, copies_size, make_copies
from .vector import copy_line

BLOCK = 5  # tiles of W_diff side by side that one task of the weight gradient computes


def backward_data(
    plan: Plan,
    top_diff: np.ndarray,
    weight: np.ndarray,
    bottom_diff: np.ndarray,
    group: int,
    workspace: np.ndarray,
) -> None:
    """Overwrite bottom_diff."""
    if plan.data:
        slide, no_bias = plan.data, np.empty(0, np.float32)
        packed, memory, shares = slide_memories(plan, slide, bottom_diff, weight.size, workspace)
        convolution_lanes.pack_outputs(planes(weight), group, slide.lanes, packed)
        convolution_lanes.convolve(
            slide, planes(top_diff), packed, no_bias, planes(bottom_diff), group, memory, shares,
            NO_POOLING,
        )  # fmt: skip
        return
    _backward_data(
        planes(top_diff), rows(weight), planes(bottom_diff), group,
        plan.table, plan.starts, memories(plan, workspace), plan.shares,
    )  # fmt: skip


def backward_weight(
    plan: Plan,
    bottom: np.ndarray,
    top_diff: np.ndarray,
    weight_diff: np.ndarray,
    group: int,
    workspace: np.ndarray,
) -> None:
    """Add to weight_diff."""
    if plan.weight:
        _backward_weight_lanes(plan, bottom, top_diff, weight_diff, group, workspace)
        return
    copies = workspace[: plan.batch * plan.copies].reshape(plan.batch, plan.copies)
    _backward_weight(
        planes(bottom), planes(top_diff), rows(weight_diff), group,
        plan.table, plan.starts, copies,
    )  # fmt: skip


def _backward_weight_lanes(plan, bottom, top_diff, weight_diff, group, workspace):
    images, image = plan.weight.images, plan.forward.image
    sizes = (weight_diff.size, weight_diff.size, images * top_diff[0].size, images * image)
    sums, turned, diffs, copies = np.split(aligned(workspace), np.cumsum(sizes))[:4]
    convolution_lanes_weight.backward_weight(
        plan.forward, plan.weight, planes(bottom), planes(top_diff), rows(weight_diff), group,
        copies.reshape(images, image), diffs, sums, turned,
    )  # fmt: skip


@jit
def _backward_data_image(
    n, top_diff, weight, bottom_diff, group, table, starts, memory, part, parts
):
    """The gradient by image n, by one part of its channels."""
    channels, size = bottom_diff.shape[1:]
    outputs, pixels = top_diff.shape[1:]
    rows, depth = outputs // group, weight.shape[1]
    kernel = depth // (channels // group)
    images, weights = bottom_diff.reshape(-1), weight.reshape(-1)
    # A copy with room behind it, since tiles read whole vectors.
    copy_line(top_diff.reshape(-1), n * outputs * pixels, memory, 0, outputs * pixels)
    copies = memory[outputs * pixels + COLUMNS :]
    for c in range(channels * part // parts, channels * (part + 1) // parts):
        g, r = c // (channels // group), c % (channels // group) * kernel
        copies[: copies_size(table, 1)] = 0
        for p in range(0, pixels, COLUMNS):
            for k in range(0, kernel, ROWS):
                micro_kernel(
                    rows,
                    weights,
                    g * rows * depth + r + k,
                    1,
                    depth,
                    memory,
                    g * rows * pixels + p,
                    pixels,
                    np.float32(1),
                    np.float32(1),
                    copies,
                    p,
                    starts[k:],
                    min(ROWS, kernel - k),
                    min(COLUMNS, pixels - p),
                )
        first = (n * channels + c) * size
        images[first : first + size] = 0
        add_copies(images, first, table, copies, 0, 1)


@jit
def _backward_data_task(
    task, top_diff, weight, bottom_diff, group, table, starts, memories, shares
):
    num, parts = len(top_diff), len(memories) // shares
    share, part, memory = task // parts, task % parts, memories[task]
    for n in range(num * share // shares, num * (share + 1) // shares):
        _backward_data_image(
            n, top_diff, weight, bottom_diff, group, table, starts, memory, part, parts
        )


@jit
def _backward_data(top_diff, weight, bottom_diff, group, table, starts, memories, shares):
    arguments = (top_diff, weight, bottom_diff, group, table, starts, memories, shares)
    parallel_for(_backward_data_task, len(memories), arguments)


@jit
def _backward_weight_tiles(task, first, images, top_diff, weight_diff, group, starts, copies):
    """Add the sums over the images from `first` on to BLOCK tiles of W_diff side by side."""
    outputs, pixels = top_diff.shape[1:]
    rows, depth = outputs // group, weight_diff.shape[1]
    row_tiles, column_tiles = -(-rows // SIDE), -(-depth // SIDE)
    # A block of columns meets all rows before the next does: its copies stay in the cache.
    blocks = -(-column_tiles // BLOCK)
    m, block, g = task % row_tiles * SIDE, task // row_tiles % blocks, task // row_tiles // blocks
    count = min(SIDE, rows - m)
    m += g * rows
    for tile in range(block * BLOCK, min((block + 1) * BLOCK, column_tiles)):
        r = tile * SIDE
        dot_kernel(
            images,
            pixels,
            top_diff.reshape(-1),
            (first * outputs + m) * pixels,
            pixels,
            outputs * pixels,
            copies.reshape(-1),
            g * (copies.shape[1] // group),
            starts[r:],
            copies.shape[1],
            np.float32(1),
            weight_diff.reshape(-1),
            m * depth + r,
            depth,
            count,
            min(SIDE, depth - r),
        )


@jit
def _copy_image(i, first, images, channels, size, table, copies):
    make_copies(images, (first + i) * channels * size, table, copies[i], 0, channels)


@jit
def _backward_weight(bottom, top_diff, weight_diff, group, table, starts, copies):
    num, channels, size = bottom.shape
    batch, images = len(copies), bottom.reshape(-1)
    row_tiles = -(-(top_diff.shape[1] // group) // SIDE)
    tasks = group * row_tiles * -(-weight_diff.shape[1] // (SIDE * BLOCK))
    for first in range(0, num, batch):
        count = min(batch, num - first)
        parallel_for(_copy_image, count, (first, images, channels, size, table, copies))
        arguments = (first, count, top_diff, weight_diff, group, starts, copies)
        parallel_for(_backward_weight_tiles, tasks, arguments)
