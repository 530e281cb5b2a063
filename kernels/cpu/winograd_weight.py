"""The gradient of a convolution by its weights with few multiplications (see winograd.py).

    dU[o, c] = sum over t of dM[o, t] V[c, t]      for each of the 8 x 8 values

and W_diff[o, c] += dU[o, c], transformed back. dM and V are the transformed gradients by the output
and images; o, c and t count outputs and channels of a group, and tiles. Few weights are summed up
by shares of the images, and the shares in their order at last. Many are a single sum, of which each
thread takes some outputs. Both ways results are the same to the bit for any number of threads.
"""

import numpy as np

from .aligned import aligned
from .frequency_kernel import COLUMNS, LANES, ROWS, frequency_kernel
from .jit import jit
from .line_copy import add_line
from .parallel import parallel_for, parallel_for_workers, worker_count
from .winograd import NO_MASK
from .winograd_plan import (
    BATCH,
    CHANNELS,
    GROUPS,
    OUTPUTS,
    PLANE,
    ROW,
    SHARES,
    TILES,
    VALUES,
    WEIGHT_MEMORY,
    WEIGHTS,
)
from .winograd_tiles import LANE_GROUPS, image_in, output_in
from .winograd_windows import weights_out


def backward_weight(
    plan: np.ndarray,
    bottom: np.ndarray,
    top_diff: np.ndarray,
    weight_diff: np.ndarray,
    workspace: np.ndarray,
    mask: np.ndarray = NO_MASK,
) -> None:
    """Add to weight_diff. With a mask, top_diff are the gradients by a max pooling's output."""
    cells = mask[0, 0].size if mask.size else 0
    _backward_weight(
        plan, len(bottom), bottom.reshape(-1), top_diff.reshape(-1), mask.reshape(-1), cells,
        weight_diff.reshape(-1), workspace,
    )  # fmt: skip


@jit
def transform_images(
    plan, g, first, images, outputs_from, count, bottom, top_diff, mask, cells, plane, values,
    gradients,
):  # fmt: skip
    """Some images' channels of group g, and the gradients by `count` of its outputs."""
    tiles, row = plan[TILES], plan[ROW]
    channels, outputs = plan[CHANNELS], plan[OUTPUTS]
    for n in range(images):
        image = (first + n) * plan[GROUPS] + g
        for c in range(channels):
            place = (c * row + n * tiles) * LANES
            number = image * channels + c
            image_in(plan, bottom, number, plane, values, place, channels * row * LANES)
        for o in range(count):
            place, number = (o * row + n * tiles) * LANES, image * outputs + outputs_from + o
            output_in(
                plan, top_diff, number, mask, cells, plane, gradients, place, outputs * row * LANES
            )


@jit
def add_tiles(plan, tiles, first_output, count, add, values, gradients, sums):
    """Add some tiles to the sums of `count` outputs from the first one on."""
    channels, outputs, line = plan[CHANNELS], plan[OUTPUTS], plan[ROW] * LANES
    windows = plan[GROUPS] * outputs * channels
    for lanes in range(LANE_GROUPS):
        for o in range(0, count, ROWS):
            for c in range(0, channels, COLUMNS):
                frequency_kernel(
                    tiles,
                    gradients, (lanes * outputs + o) * line, line, LANES,
                    values, (lanes * channels + c) * line, line, LANES,
                    add,
                    sums, (lanes * windows + (first_output + o) * channels + c) * LANES,
                    channels * LANES, LANES,
                    min(ROWS, count - o), min(COLUMNS, channels - c),
                )  # fmt: skip


@jit
def _sum_of_share(i, worker, plan, num, bottom, top_diff, mask, cells, sums, memories):
    """A share of the images, and of the outputs where there are more threads than shares."""
    shares, groups, outputs = len(sums), plan[GROUPS], plan[OUTPUTS]
    parts = -(-len(memories) // shares)
    share, part = i // parts, i % parts
    memory = memories[worker]
    plane, rest = memory[: plan[PLANE]], memory[plan[PLANE] :]
    size = VALUES * plan[CHANNELS] * plan[ROW]
    values, gradients = rest[:size], rest[size:]
    begin, end = num * share // shares, num * (share + 1) // shares
    first_output, last_output = (
        groups * outputs * part // parts,
        groups * outputs * (part + 1) // parts,
    )
    for first in range(begin, end, plan[BATCH]):
        images = min(plan[BATCH], end - first)
        for g in range(groups):
            o, last = max(first_output - g * outputs, 0), min(last_output - g * outputs, outputs)
            if o < last:
                transform_images(
                    plan, g, first, images, o, last - o, bottom, top_diff, mask, cells,
                    plane, values, gradients,
                )  # fmt: skip
                add_tiles(
                    plan, images * plan[TILES], g * outputs + o, last - o, first > begin,
                    values, gradients, sums[share],
                )  # fmt: skip


@jit
def add_windows(output, plan, sums, weight_diff):
    """Add up the shares of one output, and the result to its weights."""
    channels, total = plan[CHANNELS], sums[0]
    size = channels * LANES
    row = plan[GROUPS] * plan[OUTPUTS] * size
    for share in range(1, len(sums)):
        for start in range(output * size, LANE_GROUPS * row, row):
            add_line(sums[share], start, total, start, size)
    weights_out(plan, total, output * size, row, weight_diff, output * channels, channels)


@jit
def _backward_weight(plan, num, bottom, top_diff, mask, cells, weight_diff, workspace):
    floats, weights, shares = aligned(workspace), plan[WEIGHTS], plan[SHARES]
    workers, size = worker_count(), plan[WEIGHT_MEMORY]
    sums, rest = floats[: shares * weights].reshape(shares, weights), floats[shares * weights :]
    memories = rest[: workers * size].reshape(workers, size)
    arguments = (plan, num, bottom, top_diff, mask, cells, sums, memories)
    parts = -(-len(memories) // len(sums))  # as many as give each worker one
    parallel_for_workers(_sum_of_share, len(sums) * parts, arguments)
    parallel_for(add_windows, plan[GROUPS] * plan[OUTPUTS], (plan, sums, weight_diff))
