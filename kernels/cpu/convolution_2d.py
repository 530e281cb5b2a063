"""Convolution over two spatial axes, as products of matrices whose windows are never laid out.

The shifted copies of an image (see shifted_copies.py) hold each row of its window matrix as one
run of memory, which is all that a register tile asks of its operand. X[r, p] being copies[r + p]:

    forward           top[m, p]     = bias[m] + sum over r of W[m, r] X[start[r], p]
    data gradient     X[start[r], p] = sum over r, m of W[m, r] top_diff[m, p]; the image is then
                      the sum of its copies, each moved back
    weight gradient   W_diff[m, r] += sum over n, p of top_diff[n, m, p] X[n, start[r], p]

n counts images, m the outputs of a group, r its windows' rows (c, ky, kx), p output pixels. The
forward sum is cut into blocks as GEMM cuts it, for the same rounding as Caffe's.

The first two run their lanes over pixels and read the weights as they lie. Their tasks are shares
of the images and, where images are few, parts of the channels. The third is a product of rows with
rows (dot_kernel.py); its tasks are tiles of W_diff, each of which sums the images in their order.
So results are the same to the bit for any number of threads.
"""

import math

import numba
import numpy as np

from .convolution_plan import Plan
from .dot_kernel import SIDE, dot_kernel
from .gemm import COLUMNS, ROWS, block_of, micro_kernel
from .jit import jit
from .shifted_copies import add_copies, copies_size, make_copies
from .vector import copy_line

BLOCK = 5  # tiles of W_diff side by side that one task of the weight gradient computes


def forward(
    plan: Plan,
    bottom: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    top: np.ndarray,
    group: int,
    workspace: np.ndarray,
) -> None:
    """Overwrite top."""
    _forward(
        _planes(bottom), _rows(weight), bias, _planes(top), group,
        plan.table, plan.starts, _memories(plan, workspace), plan.shares,
    )  # fmt: skip


def backward_data(
    plan: Plan,
    top_diff: np.ndarray,
    weight: np.ndarray,
    bottom_diff: np.ndarray,
    group: int,
    workspace: np.ndarray,
) -> None:
    """Overwrite bottom_diff."""
    _backward_data(
        _planes(top_diff), _rows(weight), _planes(bottom_diff), group,
        plan.table, plan.starts, _memories(plan, workspace), plan.shares,
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
    copies = workspace[: plan.batch * plan.copies].reshape(plan.batch, plan.copies)
    _backward_weight(
        _planes(bottom), _planes(top_diff), _rows(weight_diff), group,
        plan.table, plan.starts, copies,
    )  # fmt: skip


def _planes(images: np.ndarray) -> np.ndarray:
    return images.reshape(*images.shape[:2], math.prod(images.shape[2:]))


def _rows(weight: np.ndarray) -> np.ndarray:
    return weight.reshape(len(weight), math.prod(weight.shape[1:]))


def _memories(plan: Plan, workspace: np.ndarray) -> np.ndarray:
    return workspace[: plan.tasks * plan.memory].reshape(plan.tasks, plan.memory)


@jit
def _forward_image(n, bottom, weight, bias, top, group, table, starts, copies, part, parts):
    """Image n's outputs, those of one part of the channels. copies: memory."""
    channels, (outputs, pixels) = bottom.shape[1], top.shape[1:]
    rows, depth = outputs // group, weight.shape[1]
    tiles = -(-rows // ROWS)
    images, weights, tops = bottom.reshape(-1), weight.reshape(-1), top.reshape(-1)
    make_copies(images, n * channels * bottom.shape[2], table, copies, 0, channels)
    for tile in range(group * tiles * part // parts, group * tiles * (part + 1) // parts):
        g, m = tile // tiles, tile % tiles * ROWS
        count = min(ROWS, rows - m)
        m += g * rows
        first = (n * outputs + m) * pixels
        for i in range(count if bias.size else 0):
            tops[first + i * pixels : first + (i + 1) * pixels] = bias[m + i]
        for p in range(0, pixels, COLUMNS):
            k, beta = 0, np.float32(1 if bias.size else 0)
            while k < depth:
                block = block_of(depth - k)
                micro_kernel(
                    block,
                    weights,
                    m * depth + k,
                    depth,
                    1,
                    copies,
                    g * copies_size(table, channels // group) + p,
                    starts[k:],
                    np.float32(1),
                    beta,
                    tops,
                    first + p,
                    pixels,
                    count,
                    min(COLUMNS, pixels - p),
                )
                k += block
                beta = np.float32(1)


@jit(parallel=True)
def _forward(bottom, weight, bias, top, group, table, starts, memories, shares):
    parts = len(memories) // shares
    for task in numba.prange(len(memories)):
        share, part, copies = task // parts, task % parts, memories[task]
        for n in range(len(top) * share // shares, len(top) * (share + 1) // shares):
            _forward_image(n, bottom, weight, bias, top, group, table, starts, copies, part, parts)


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


@jit(parallel=True)
def _backward_data(top_diff, weight, bottom_diff, group, table, starts, memories, shares):
    num, parts = len(top_diff), len(memories) // shares
    for task in numba.prange(len(memories)):
        share, part, memory = task // parts, task % parts, memories[task]
        for n in range(num * share // shares, num * (share + 1) // shares):
            _backward_data_image(
                n, top_diff, weight, bottom_diff, group, table, starts, memory, part, parts
            )


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
            weight_diff.reshape(-1),
            m * depth + r,
            depth,
            count,
            min(SIDE, depth - r),
        )


@jit(parallel=True)
def _backward_weight(bottom, top_diff, weight_diff, group, table, starts, copies):
    num, channels, size = bottom.shape
    batch, images = len(copies), bottom.reshape(-1)
    row_tiles = -(-(top_diff.shape[1] // group) // SIDE)
    tasks = group * row_tiles * -(-weight_diff.shape[1] // (SIDE * BLOCK))
    for first in range(0, num, batch):
        count = min(batch, num - first)
        for n in numba.prange(count):
            make_copies(images, (first + n) * channels * size, table, copies[n], 0, channels)
        for task in numba.prange(tasks):
            _backward_weight_tiles(task, first, count, top_diff, weight_diff, group, starts, copies)
