"""The gradients of a convolution over two spatial axes, as products of matrices.

With the shifted copies of convolution_2d.py, X[r, p] being copies[r + p]:

    data gradient     X[start[r], p] = sum over r, m of W[m, r] top_diff[m, p]; the image is then
                      the sum of its copies, each moved back
    weight gradient   W_diff[m, r] += sum over n, p of top_diff[n, m, p] X[n, start[r], p]

n counts images, m the outputs of a group, r its windows' rows (c, ky, kx), p output pixels. The
tasks of the first are as in forward. The second is a product of rows with rows (dot_kernel.py). Its
tasks are shares of the images, with a sum each, and parts of the outputs where few sums find room;
at last the shares' sums are added in their order. So results are the same to the bit for any number
of threads.
"""

import numpy as np

from . import convolution_lanes, convolution_lanes_weight
from .aligned import aligned
from .convolution_2d import NO_POOLING, memories, planes, rows, slide_memories
from .convolution_plan import Plan
from .dot_kernel import SIDE, dot_kernel
from .gemm import COLUMNS, ROWS, micro_kernel
from .jit import jit
from .line_copy import add_line, copy_line
from .parallel import parallel_for
from .shares import share, share_count
from .shifted_copies import add_copies, copies_size, make_copies


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
    shares, tasks = plan.weight_shares, plan.weight_shares * plan.weight_parts
    floats, weights = aligned(workspace), weight_diff.size
    sums, rest = floats[: shares * weights], floats[shares * weights :]
    _backward_weight(
        planes(bottom), planes(top_diff), rows(weight_diff), group,
        plan.table, plan.starts, plan.batch, plan.copies, sums.reshape(shares, weights),
        rest[: tasks * plan.weight_memory].reshape(tasks, plan.weight_memory),
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
def _sum_of_share(task, bottom, top_diff, group, depth, table, starts, batch, size, sums, memories):
    """A share of the images, and a part of the outputs in tiles."""
    num, outputs, pixels = top_diff.shape
    rows, channels, shares = outputs // group, bottom.shape[1], len(sums)
    row_tiles, parts = -(-rows // SIDE), len(memories) // shares
    share, part = task // parts, task % parts
    copies, beta = memories[task, : batch * size].reshape(batch, size), np.float32(0)
    end, tiles = num * (share + 1) // shares, group * row_tiles
    for first in range(num * share // shares, end, batch):
        count = min(batch, end - first)
        for i in range(count):
            image = (first + i) * bottom[0].size
            make_copies(bottom.reshape(-1), image, table, copies[i], 0, channels)
        for tile in range(tiles * part // parts, tiles * (part + 1) // parts):
            g, m = tile // row_tiles, tile % row_tiles * SIDE
            height, m = min(SIDE, rows - m), g * rows + m
            for r in range(0, depth, SIDE):
                dot_kernel(
                    count, pixels,
                    top_diff.reshape(-1), (first * outputs + m) * pixels, pixels, outputs * pixels,
                    copies.reshape(-1), g * (size // group), starts[r:], size,
                    beta, sums[share], m * depth + r, depth, height, min(SIDE, depth - r),
                )  # fmt: skip
        beta = np.float32(1)


@jit
def _add_shares(i, count, sums, weight_diff):
    """Add share i of `count` of all weights' sums."""
    flat = weight_diff.reshape(-1)
    first, last = share(i, count, flat.size)
    for n in range(len(sums)):
        add_line(sums[n], first, flat, first, last - first)


@jit
def _backward_weight(
    bottom, top_diff, weight_diff, group, table, starts, batch, size, sums, memories
):
    depth = weight_diff.shape[1]
    arguments = (bottom, top_diff, group, depth, table, starts, batch, size, sums, memories)
    parallel_for(_sum_of_share, len(memories) if len(bottom) else 0, arguments)
    count = share_count(sums.size) if len(bottom) else 0
    parallel_for(_add_shares, count, (count, sums, weight_diff))
