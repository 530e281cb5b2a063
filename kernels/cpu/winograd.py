"""Convolution with few multiplications, after Winograd: forward and the gradient by the bottom.

An output tile of 4 x 4 values, for windows of 5 x 5, takes 64 multiplications for each channel in
place of 400; of 6 x 6, for windows of 3 x 3, 64 for 324 (winograd_matrices.py):

    forward          M[o, t] = sum over c of U[o, c] V[c, t]      for each of the 8 x 8 values
    data gradient    dV[c, t] = sum over o of U[o, c] dM[o, t]

V, M and U are the transformed image, output and weights (winograd_tiles.py); o, c and t count
outputs and channels of a group, and tiles. The second is the first turned around step by step, so
its tiles are those of forward. What is gained is paid for in rounding: errors are ten to twenty
times as large as those of the sum written out, millionths of the largest value, and outputs that
see the same pixels, as in an empty corner, differ in their last bits.

The work is done in turns, some images and some channels each. No sum is cut by them, so results are
the same to the bit for any number of threads. The weights' gradient is in winograd_weight.py.
"""

import numpy as np

from .aligned import aligned
from .convolution_2d import NO_POOLING, Pooling
from .frequency_kernel import COLUMNS, LANES, ROWS, frequency_kernel
from .jit import jit
from .max_pooling import max_pool_planes
from .parallel import LINE, parallel_for_workers, worker_count
from .winograd_lines import lines_of, transform_all
from .winograd_plan import (
    CHANNELS,
    GROUPS,
    IMAGES,
    MEMORY,
    OF_ALL,
    OUT_HEIGHT,
    OUT_WIDTH,
    OUTPUTS,
    PANEL,
    PLACE,
    PLANE,
    TILES,
    TRANSFORMED,
    TURN_ROW,
    VALUES,
)
from .winograd_tiles import LANE_GROUPS, image_in, image_out, output_in, output_out

NO_MASK = np.empty(0, np.int32)
# Most values of k in a piece of a sum, for a register tile's weights to stay in the nearest cache.
# (With vectors of 16 floats, whose machines have larger caches, it was not measured to pay.)
DEPTH = 64 if LANES < 16 else 2**30


def forward(
    plan: np.ndarray,
    bottom: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    top: np.ndarray,
    workspace: np.ndarray,
    pooling: Pooling = NO_POOLING,
) -> None:
    """Overwrite top and, with pooling, its pooled planes and their mask (convolution_2d.py)."""
    biases = bias if bias.size else np.zeros(len(weight), np.float32)
    _forward(
        plan, len(bottom), bottom.reshape(-1), weight.reshape(-1), biases, top.reshape(-1),
        workspace, pooling,
    )  # fmt: skip


def backward_data(
    plan: np.ndarray,
    top_diff: np.ndarray,
    weight: np.ndarray,
    bottom_diff: np.ndarray,
    workspace: np.ndarray,
    mask: np.ndarray = NO_MASK,
) -> None:
    """Overwrite bottom_diff. With a mask, top_diff are the gradients by a max pooling's output."""
    cells = mask[0, 0].size if mask.size else 0
    _backward_data(
        plan, len(bottom_diff), top_diff.reshape(-1), mask.reshape(-1), cells, weight.reshape(-1),
        bottom_diff.reshape(-1), workspace,
    )  # fmt: skip


@jit
def _memories(plan, workspace):
    """The places for transformed weights; of each worker, whether it has made its own yet, and its
    memory for all else."""
    floats, workers, size = aligned(workspace), worker_count(), plan[TRANSFORMED]
    places = 1 if plan[PLACE] == OF_ALL else workers
    rest = floats[places * size : places * size + workers * plan[MEMORY]]
    return (
        floats[: places * size].reshape(places, size), np.zeros((workers, LINE), np.bool_),
        rest.reshape(workers, plan[MEMORY]),
    )  # fmt: skip


@jit
def _parts(plan, num, channels, workers):
    """In how many parts the channels of a group take turns: enough that each worker has two."""
    turns = -(-num // plan[IMAGES]) * plan[GROUPS]
    return min(-(-channels // plan[PANEL]), -(-2 * workers // turns))


@jit
def _turn(i, plan, num, channels, parts):
    """Turn number i: its first image, how many, its group, and the first and the last + 1 of the
    group's channels that it computes."""
    panels = -(-channels // plan[PANEL])
    part, g = i % parts, i // parts % plan[GROUPS]
    first = i // parts // plan[GROUPS] * plan[IMAGES]
    begin, end = panels * part // parts * plan[PANEL], panels * (part + 1) // parts * plan[PANEL]
    return first, min(plan[IMAGES], num - first), g, begin, min(end, channels)


@jit
def multiply(plan, weights, first, lines, count, depth, factors, row, tiles, product):
    """product[i, t] = sum over k < depth of weights[first + i, k] factors[k, t], i < count, for
    each of the 64 values. Lanes by lanes: their part of the factors stays in the cache."""
    pieces = -(-depth // DEPTH)
    for task in range(LANE_GROUPS * pieces):
        lanes, piece = task // pieces, task % pieces
        k, last = depth * piece // pieces, depth * (piece + 1) // pieces
        for i in range(0, count, ROWS):
            line = lanes * lines + first + i
            for t in range(0, tiles, COLUMNS):
                frequency_kernel(
                    last - k,
                    weights, (line * depth + k) * LANES, depth * LANES, LANES,
                    factors, ((lanes * depth + k) * row + t) * LANES, LANES, row * LANES,
                    piece > 0,
                    product, ((lanes * plan[PANEL] + i) * row + t) * LANES, row * LANES, LANES,
                    min(ROWS, count - i), min(COLUMNS, tiles - t),
                )  # fmt: skip


@jit
def _forward_turn(
    i, worker, plan, num, parts, bottom, weight, bias, top, transformed, made, memories, pooling
):
    channels, outputs, tiles, panel = plan[CHANNELS], plan[OUTPUTS], plan[TILES], plan[PANEL]
    groups, area = plan[GROUPS], plan[OUT_HEIGHT] * plan[OUT_WIDTH]
    row = plan[TURN_ROW]
    pooled, mask, plane_shape, pooled_shape, kernel, pad, stride = pooling
    memory = memories[worker]
    plane, rest = memory[: plan[PLANE]], memory[plan[PLANE] :]
    product, values = rest[: VALUES * panel * row], rest[VALUES * panel * row :]
    first, images, g, begin, end = _turn(i, plan, num, outputs, parts)
    for n in range(images):
        for c in range(channels):
            number = ((first + n) * groups + g) * channels + c
            place = (c * row + n * tiles) * LANES
            image_in(plan, bottom, number, plane, values, place, channels * row * LANES)
    for o in range(begin, end, panel):
        count, output = min(panel, end - o), g * outputs + o
        lines = lines_of(worker, plan, weight, g, o, count, False, transformed, made)
        multiply(plan, *lines, count, channels, values, row, images * tiles, product)
        for n in range(images):
            number = (first + n) * groups * outputs + output
            for m in range(count):
                place = (m * row + n * tiles) * LANES
                output_out(
                    plan, product, place, panel * row * LANES, bias[output + m],
                    plane, top, (number + m) * area,
                )  # fmt: skip
            if pooled.size:
                max_pool_planes(
                    top, number * area, count, plane_shape[0], plane_shape[1],
                    pooled, mask, number * pooled_shape[0] * pooled_shape[1],
                    pooled_shape[0], pooled_shape[1], kernel, pad, stride,
                )  # fmt: skip


@jit
def _forward(plan, num, bottom, weight, bias, top, workspace, pooling):
    transformed, made, memories = _memories(plan, workspace)
    transform_all(plan, weight, transformed, False)
    parts = _parts(plan, num, plan[OUTPUTS], len(memories))
    turns = -(-num // plan[IMAGES]) * plan[GROUPS] * parts
    arguments = (
        plan, num, parts, bottom, weight, bias, top, transformed, made, memories, pooling
    )  # fmt: skip
    parallel_for_workers(_forward_turn, turns, arguments)


@jit
def images_out(plan, product, row, first, images, channel, count, plane, bottom_diff):
    """Transform the gradients by `count` channels of some images back."""
    channels = plan[GROUPS] * plan[CHANNELS]
    for n in range(images):
        for m in range(count):
            number = (first + n) * channels + channel + m
            place = (m * row + n * plan[TILES]) * LANES
            image_out(plan, product, place, plan[PANEL] * row * LANES, plane, bottom_diff, number)


@jit
def _backward_data_turn(
    i,
    worker,
    plan,
    num,
    parts,
    top_diff,
    mask,
    cells,
    weight,
    bottom_diff,
    transformed,
    made,
    memories,
):
    channels, outputs, tiles, panel = plan[CHANNELS], plan[OUTPUTS], plan[TILES], plan[PANEL]
    groups, row = plan[GROUPS], plan[TURN_ROW]
    memory = memories[worker]
    plane, rest = memory[: plan[PLANE]], memory[plan[PLANE] :]
    product, values = rest[: VALUES * panel * row], rest[VALUES * panel * row :]
    first, images, g, begin, end = _turn(i, plan, num, channels, parts)
    for n in range(images):
        for o in range(outputs):
            number = ((first + n) * groups + g) * outputs + o
            place = (o * row + n * tiles) * LANES
            output_in(
                plan, top_diff, number, mask, cells, plane, values, place, outputs * row * LANES
            )
    for c in range(begin, end, panel):
        count, channel = min(panel, end - c), g * channels + c
        lines = lines_of(worker, plan, weight, g, c, count, True, transformed, made)
        multiply(plan, *lines, count, outputs, values, row, images * tiles, product)
        images_out(plan, product, row, first, images, channel, count, plane, bottom_diff)


@jit
def _backward_data(plan, num, top_diff, mask, cells, weight, bottom_diff, workspace):
    transformed, made, memories = _memories(plan, workspace)
    transform_all(plan, weight, transformed, True)
    parts = _parts(plan, num, plan[CHANNELS], len(memories))
    turns = -(-num // plan[IMAGES]) * plan[GROUPS] * parts
    arguments = (
        plan, num, parts, top_diff, mask, cells, weight, bottom_diff, transformed, made, memories
    )  # fmt: skip
    parallel_for_workers(_backward_data_turn, turns, arguments)
