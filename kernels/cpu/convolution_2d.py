"""Convolution over two spatial axes, as a product of matrices whose windows are never laid out.

The shifted copies of an image (see shifted_copies.py) hold each row of its window matrix as one
run of memory, which is all that a register tile asks of its operand. X[r, p] being copies[r + p]:

    top[m, p] = sum over r of W[m, r] X[start[r], p] + bias[m]

m counts the outputs of a group, r its windows' rows (c, ky, kx), p output pixels: the lanes. The
sum is cut into blocks as GEMM cuts it, for the same rounding as Caffe's. The weights are read as
they lie. Tasks are shares of the images and, where images are few, parts of the channels; so
results are the same to the bit for any number of threads.

Where a max pooling is all that reads the outputs, each plane is pooled while it is in the nearest
cache. The gradients are in convolution_2d_backward.py. Where the outputs fill the lanes, what is
below does not serve, but convolution_lanes.py.
"""

import math

import numpy as np

from . import convolution_lanes
from .aligned import aligned
from .convolution_plan import FEW, SHARES, Plan
from .gemm import block_of
from .jit import jit
from .lanes_plan import Slide, task_memory
from .max_pooling import Pair, max_pool_planes
from .micro_kernel import convolution_tile, make_micro_kernel
from .parallel import parallel_for
from .shifted_copies import copies_size, make_copies

Pooling = tuple[np.ndarray, np.ndarray, Pair, Pair, Pair, Pair, Pair]
NO_POOLING: Pooling = (
    np.empty(0, np.float32), np.empty(0, np.int32), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0)
)  # fmt: skip

TILE = convolution_tile()
ROWS, COLUMNS = TILE.rows, TILE.columns
_biased_kernel = make_micro_kernel(TILE, bias=True)


def forward(
    plan: Plan,
    bottom: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    top: np.ndarray,
    group: int,
    workspace: np.ndarray,
    pooling: Pooling = NO_POOLING,
) -> None:
    """Overwrite top and, with pooling, its pooled planes and their mask.

    pooling: the pooled planes and the mask, both flat; height and width of a plane and of a pooled
    one; the window's kernel, pad and stride.
    """
    if plan.forward:
        slide = plan.forward
        packed, memory, shares = slide_memories(plan, slide, top, weight.size, workspace)
        convolution_lanes.pack_rows(rows(weight), slide.lanes, packed)
        convolution_lanes.convolve(
            slide, planes(bottom), packed, bias, planes(top), group, memory, shares, pooling
        )
        return
    _forward(
        planes(bottom), rows(weight), bias, planes(top), group, plan.table, plan.starts,
        memories(plan, workspace), plan.shares, pooling,
    )  # fmt: skip


def planes(images: np.ndarray) -> np.ndarray:
    """The images with one axis for all pixels."""
    return images.reshape(*images.shape[:2], math.prod(images.shape[2:]))


def rows(weight: np.ndarray) -> np.ndarray:
    """The weights as a matrix: outputs by windows' rows."""
    return weight.reshape(len(weight), math.prod(weight.shape[1:]))


def slide_memories(
    plan: Plan, slide: Slide, top: np.ndarray, weights: int, workspace: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int]:
    """Of convolution_lanes.py: the memory for packed weights, that of each task, and the number of
    shares. top: what is overwritten."""
    size = slide.images * task_memory(slide.image, math.prod(top.shape[2:]) * slide.lanes)
    most = plan.tasks * plan.memory // size  # tasks that there is memory for
    shares = min(len(top) // slide.images, SHARES, most)
    strips = top.shape[1] // slide.lanes
    parts = min(strips, most // shares, -(-FEW // shares))
    while strips % parts and parts < most // shares:  # parts of different sizes are waited for
        parts += 1
    floats = aligned(workspace)
    memory = floats[weights : weights + shares * parts * size].reshape(shares * parts, size)
    return floats[:weights], memory, shares


def memories(plan: Plan, workspace: np.ndarray) -> np.ndarray:
    """The memory of each task."""
    return workspace[: plan.tasks * plan.memory].reshape(plan.tasks, plan.memory)


@jit
def _forward_plane(weights, row, depth, bias, zeros, count, copies, first, starts, tops, pixels):
    """`count` outputs from the output `row` on; the copies of their group begin at `first`.
    tops: from their planes on."""
    for p in range(0, pixels, COLUMNS):
        k, beta = 0, np.float32(0)
        while k < depth:
            block = block_of(depth - k)
            last = k + block == depth
            _biased_kernel(
                block,
                weights,
                row * depth + k,
                depth,
                1,
                copies,
                first + p,
                starts[k:],
                np.float32(1),
                beta,
                tops,
                p,
                pixels,
                count,
                min(COLUMNS, pixels - p),
                bias if last else zeros,
                row if last else 0,
            )
            k += block
            beta = np.float32(1)


@jit
def _forward_image(
    n, part, parts, bottom, weight, bias, zeros, top, group, table, starts, copies, pooling
):
    """Image n's outputs, those of one part of the channels. copies: memory."""
    channels, (outputs, pixels) = bottom.shape[1], top.shape[1:]
    rows, depth = outputs // group, weight.shape[1]
    tiles = -(-rows // ROWS)
    weights, tops = weight.reshape(-1), top.reshape(-1)
    pooled, mask, plane, pooled_plane, kernel, pad, stride = pooling
    cells = pooled_plane[0] * pooled_plane[1]
    make_copies(bottom.reshape(-1), n * channels * bottom.shape[2], table, copies, 0, channels)
    for tile in range(group * tiles * part // parts, group * tiles * (part + 1) // parts):
        g, m = tile // tiles, tile % tiles * ROWS
        count = min(ROWS, rows - m)
        output = g * rows + m
        first = (n * outputs + output) * pixels
        copy = g * copies_size(table, channels // group)
        _forward_plane(
            weights, output, depth, bias, zeros, count, copies, copy, starts, tops[first:], pixels
        )
        if pooled.size:
            max_pool_planes(
                tops, first, count, plane[0], plane[1],
                pooled, mask, (n * outputs + output) * cells, pooled_plane[0], pooled_plane[1],
                kernel, pad, stride,
            )  # fmt: skip


@jit
def _forward_task(
    task, bottom, weight, bias, zeros, top, group, table, starts, memories, shares, pooling
):
    parts = len(memories) // shares
    share, part = task // parts, task % parts
    for n in range(len(top) * share // shares, len(top) * (share + 1) // shares):
        _forward_image(
            n, part, parts, bottom, weight, bias, zeros, top, group, table, starts,
            memories[task], pooling,
        )  # fmt: skip


@jit
def _forward(bottom, weight, bias, top, group, table, starts, memories, shares, pooling):
    zeros = np.zeros(max(ROWS, len(weight)), np.float32)
    biases = bias if bias.size else zeros
    arguments = (
        bottom, weight, biases, zeros, top, group, table, starts, memories, shares, pooling
    )  # fmt: skip
    parallel_for(_forward_task, len(memories), arguments)
