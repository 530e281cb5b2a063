"""Convolution with few multiplications, after Winograd: forward and the gradient by the bottom.

An output tile of 4 x 4 values, for windows of 5 x 5, takes 64 multiplications for each channel in
place of 400; of 6 x 6, for windows of 3 x 3, 64 for 324 (winograd_matrices.py):

    forward          M[o, t] = sum over c of U[o, c] V[c, t]      for each of the 8 x 8 values
    data gradient    dV[c, t] = sum over o of U[o, c] dM[o, t]

V, M and U are the transformed image, output and weights (winograd_tiles.py); o, c and t count
outputs and channels of a group, and tiles. The second is the first turned around step by step, so
its tiles are those of forward. What is gained is paid for in rounding: errors are some ten times as
large as those of the sum written out, a few millionths of the largest value, and outputs that see
the same pixels, as in an empty corner, differ in their last bits.

The work is done in turns, some images and a panel of channels each, which do not depend on the
number of threads: results are the same to the bit for any number. The weights'
gradient is in winograd_weight.py.
"""

import numba
import numpy as np

from .convolution_2d import NO_POOLING, Pooling, aligned
from .frequency_kernel import COLUMNS, LANES, ROWS, frequency_kernel
from .jit import jit
from .max_pooling import max_pool_planes
from .parallel import parallel_for
from .winograd_plan import (
    CHANNELS,
    FEW_WEIGHTS,
    GROUPS,
    HEIGHT,
    IMAGES,
    KERNEL,
    MEMORY,
    OUT_HEIGHT,
    OUT_WIDTH,
    OUTPUTS,
    PANEL,
    PLANE,
    TILES,
    VALUES,
    WIDTH,
    weights_size,
)
from .winograd_tiles import LANE_GROUPS, image_in, image_out, output_in, output_out, weight_in

NO_MASK = np.empty(0, np.int32)


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
        *memories(plan, workspace), pooling,
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
        bottom_diff.reshape(-1), *memories(plan, workspace),
    )  # fmt: skip


def memories(plan: np.ndarray, workspace: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The memory of the transformed weights, one for all or, of few, one for each thread, and that
    of each thread."""
    floats, weights = aligned(workspace), weights_size(plan)
    tasks, size = numba.get_num_threads(), int(plan[MEMORY])
    copies = tasks if weights <= FEW_WEIGHTS else 1
    transformed, rest = floats[: copies * weights], floats[copies * weights :]
    return transformed.reshape(copies, weights), rest[: tasks * size].reshape(tasks, size)


@jit
def transform_weights(i, plan, weight, values, by_channel):
    """The windows of one output. They lie output by output, or channel by channel: those that a
    product adds up follow each other."""
    outputs, channels = plan[OUTPUTS], plan[CHANNELS]
    kernel, all_windows = plan[KERNEL], plan[GROUPS] * outputs * channels
    g, o = i // outputs, i % outputs
    for c in range(channels):
        place = (g * channels + c) * outputs + o if by_channel else i * channels + c
        window = (i * channels + c) * kernel * kernel
        weight_in(kernel, weight, window, values, place * LANES, all_windows * LANES)


@jit
def _weights_of_task(task, plan, weight, transformed, by_channel):
    """Where there is a copy for each task, it transforms the weights: cheaper than to wait for
    another core's part and to fetch it."""
    if len(transformed) == 1:
        return transformed[0]
    for i in range(plan[GROUPS] * plan[OUTPUTS]):
        transform_weights(i, plan, weight, transformed[task], by_channel)
    return transformed[task]


@jit
def _multiply(plan, first, count, depth, weights, factors, row, tiles, product):
    """product[i, t] = sum over k < depth of weights[first + i, k] factors[k, t], i < count, for
    each of the 64 values. Lanes by lanes: their part of the factors stays in the cache."""
    windows = plan[GROUPS] * plan[OUTPUTS] * plan[CHANNELS]
    for lanes in range(LANE_GROUPS):
        for i in range(0, count, ROWS):
            for t in range(0, tiles, COLUMNS):
                frequency_kernel(
                    depth,
                    weights, (lanes * windows + (first + i) * depth) * LANES, depth * LANES, LANES,
                    factors, (lanes * depth * row + t) * LANES, LANES, row * LANES,
                    False,
                    product, ((lanes * plan[PANEL] + i) * row + t) * LANES, row * LANES, LANES,
                    min(ROWS, count - i), min(COLUMNS, tiles - t),
                )  # fmt: skip


@jit
def _forward_task(task, plan, num, bottom, weight, bias, top, transformed, memories, pooling):
    weights = _weights_of_task(task, plan, weight, transformed, False)
    channels, outputs, tiles = plan[CHANNELS], plan[OUTPUTS], plan[TILES]
    groups, area = plan[GROUPS], plan[OUT_HEIGHT] * plan[OUT_WIDTH]
    row, size = plan[IMAGES] * tiles, plan[HEIGHT] * plan[WIDTH]
    panels, images = groups * -(-outputs // plan[PANEL]), plan[IMAGES]
    pooled, mask, plane_shape, pooled_shape, kernel, pad, stride = pooling
    memory = memories[task]
    plane, rest = memory[: plan[PLANE]], memory[plan[PLANE] :]
    product, values = rest[: VALUES * plan[PANEL] * row], rest[VALUES * plan[PANEL] * row :]
    turns, packed = panels * -(-num // images), -1
    for turn in range(turns * task // len(memories), turns * (task + 1) // len(memories)):
        first, g = turn // panels * plan[IMAGES], turn % panels // (panels // groups)
        o = turn % (panels // groups) * plan[PANEL]
        images = min(plan[IMAGES], num - first)
        if turn // (panels // groups) != packed:
            packed = turn // (panels // groups)
            for i in range(images * channels):
                n, c = i // channels, i % channels
                start = (((first + n) * groups + g) * channels + c) * size
                place = (c * row + n * tiles) * LANES
                image_in(plan, bottom, start, plane, values, place, channels * row * LANES)
        count, output = min(plan[PANEL], outputs - o), g * outputs + o
        _multiply(plan, output, count, channels, weights, values, row, images * tiles, product)
        for n in range(images):
            number = (first + n) * groups * outputs + output
            for i in range(count):
                place = (i * row + n * tiles) * LANES
                output_out(
                        plan, product, place, plan[PANEL] * row * LANES, bias[output + i],
                        plane, top, (number + i) * area,
                    )  # fmt: skip
            if pooled.size:
                max_pool_planes(
                        top, number * area, count, plane_shape[0], plane_shape[1],
                        pooled, mask, number * pooled_shape[0] * pooled_shape[1],
                        pooled_shape[0], pooled_shape[1], kernel, pad, stride,
                    )  # fmt: skip


@jit
def _forward(plan, num, bottom, weight, bias, top, transformed, memories, pooling):
    if len(transformed) == 1:
        arguments = (plan, weight, transformed[0], False)
        parallel_for(transform_weights, plan[GROUPS] * plan[OUTPUTS], arguments)
    arguments = (plan, num, bottom, weight, bias, top, transformed, memories, pooling)
    parallel_for(_forward_task, len(memories), arguments)


@jit
def _backward_data_task(
    task, plan, num, top_diff, mask, cells, weight, bottom_diff, transformed, memories
):
    weights = _weights_of_task(task, plan, weight, transformed, True)
    channels, outputs, tiles = plan[CHANNELS], plan[OUTPUTS], plan[TILES]
    groups, size = plan[GROUPS], plan[HEIGHT] * plan[WIDTH]
    row = plan[IMAGES] * tiles
    panels, images = groups * -(-channels // plan[PANEL]), plan[IMAGES]
    memory = memories[task]
    plane, rest = memory[: plan[PLANE]], memory[plan[PLANE] :]
    product, values = rest[: VALUES * plan[PANEL] * row], rest[VALUES * plan[PANEL] * row :]
    turns, packed = panels * -(-num // images), -1
    for turn in range(turns * task // len(memories), turns * (task + 1) // len(memories)):
        first, g = turn // panels * plan[IMAGES], turn % panels // (panels // groups)
        c = turn % (panels // groups) * plan[PANEL]
        images = min(plan[IMAGES], num - first)
        if turn // (panels // groups) != packed:
            packed = turn // (panels // groups)
            for i in range(images * outputs):
                n, o = i // outputs, i % outputs
                number = ((first + n) * groups + g) * outputs + o
                place = (o * row + n * tiles) * LANES
                output_in(
                        plan, top_diff, number, mask, cells, plane,
                        values, place, outputs * row * LANES,
                    )  # fmt: skip
        count, channel = min(plan[PANEL], channels - c), g * channels + c
        _multiply(plan, channel, count, outputs, weights, values, row, images * tiles, product)
        for i in range(images * count):
            n, c = i // count, i % count
            start = ((first + n) * groups * channels + channel + c) * size
            place = (c * row + n * tiles) * LANES
            image_out(plan, product, place, plan[PANEL] * row * LANES, plane, bottom_diff, start)


@jit
def _backward_data(plan, num, top_diff, mask, cells, weight, bottom_diff, transformed, memories):
    if len(transformed) == 1:
        arguments = (plan, weight, transformed[0], True)
        parallel_for(transform_weights, plan[GROUPS] * plan[OUTPUTS], arguments)
    arguments = (plan, num, top_diff, mask, cells, weight, bottom_diff, transformed, memories)
    parallel_for(_backward_data_task, len(memories), arguments)
