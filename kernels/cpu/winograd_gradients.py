"""Both gradients of a convolution with few multiplications at once (see winograd.py).

    dU[o, c] = sum over t of dM[o, t] V[c, t]      dV[c, t] = sum over o of U[o, c] dM[o, t]

for each of the 8 x 8 values, as in winograd_weight.py and winograd.py, to the same bits. The
gradients by the output, dM, are transformed once, and are in the cache for both products.
"""

import numpy as np

from .aligned import aligned
from .jit import jit
from .parallel import LINE, parallel_for, parallel_for_workers, worker_count
from .winograd import NO_MASK, backward_data, images_out, multiply
from .winograd_lines import lines_of
from .winograd_plan import (
    BATCH,
    CHANNELS,
    GROUPS,
    OF_WORKER,
    OUTPUTS,
    PANEL,
    PLACE,
    PLANE,
    ROW,
    SHARES,
    TILES,
    TRANSFORMED,
    VALUES,
    WEIGHTS,
    gradients_memory,
)
from .winograd_weight import add_tiles, add_windows, backward_weight, transform_images


def backward(
    plan: np.ndarray,
    bottom: np.ndarray,
    top_diff: np.ndarray,
    weight: np.ndarray,
    weight_diff: np.ndarray,
    bottom_diff: np.ndarray,
    workspace: np.ndarray,
    mask: np.ndarray = NO_MASK,
) -> None:
    """Add to weight_diff and overwrite bottom_diff. With a mask, top_diff are the gradients by a
    max pooling's output."""
    if plan[PLACE] != OF_WORKER or worker_count() > plan[SHARES]:
        backward_weight(plan, bottom, top_diff, weight_diff, workspace, mask)
        backward_data(plan, top_diff, weight, bottom_diff, workspace, mask)
        return
    cells = mask[0, 0].size if mask.size else 0
    _backward(
        plan, len(bottom), bottom.reshape(-1), top_diff.reshape(-1), mask.reshape(-1), cells,
        weight.reshape(-1), weight_diff.reshape(-1), bottom_diff.reshape(-1), workspace,
        gradients_memory(plan),
    )  # fmt: skip


@jit
def _share(
    share,
    worker,
    plan,
    num,
    bottom,
    top_diff,
    mask,
    cells,
    weight,
    bottom_diff,
    sums,
    transformed,
    made,
    memories,
):
    """Both gradients of a share of the images."""
    groups, channels, outputs = plan[GROUPS], plan[CHANNELS], plan[OUTPUTS]
    row, panel = plan[ROW], plan[PANEL]
    memory = memories[worker]
    plane, rest = memory[: plan[PLANE]], memory[plan[PLANE] :]
    values, rest = rest[: VALUES * channels * row], rest[VALUES * channels * row :]
    gradients, product = rest[: VALUES * outputs * row], rest[VALUES * outputs * row :]
    begin, end = num * share // len(sums), num * (share + 1) // len(sums)
    for first in range(begin, end, plan[BATCH]):
        images = min(plan[BATCH], end - first)
        tiles = images * plan[TILES]
        for g in range(groups):
            transform_images(
                plan, g, first, images, 0, outputs, bottom, top_diff, mask, cells,
                plane, values, gradients,
            )  # fmt: skip
            add_tiles(
                plan, tiles, g * outputs, outputs, first > begin, values, gradients, sums[share]
            )
            for c in range(0, channels, panel):
                count, channel = min(panel, channels - c), g * channels + c
                lines = lines_of(worker, plan, weight, g, c, count, True, transformed, made)
                multiply(plan, *lines, count, outputs, gradients, row, tiles, product)
                images_out(plan, product, row, first, images, channel, count, plane, bottom_diff)


@jit
def _backward(
    plan, num, bottom, top_diff, mask, cells, weight, weight_diff, bottom_diff, workspace, size
):
    floats, weights, shares = aligned(workspace), plan[WEIGHTS], plan[SHARES]
    workers = worker_count()
    sums, rest = floats[: shares * weights].reshape(shares, weights), floats[shares * weights :]
    places = workers * plan[TRANSFORMED]
    transformed, rest = rest[:places].reshape(workers, -1), rest[places:]
    memories = rest[: workers * size].reshape(workers, size)
    made = np.zeros((workers, LINE), np.bool_)
    arguments = (
        plan, num, bottom, top_diff, mask, cells, weight, bottom_diff, sums, transformed, made,
        memories,
    )  # fmt: skip
    parallel_for_workers(_share, shares, arguments)
    parallel_for(add_windows, plan[GROUPS] * plan[OUTPUTS], (plan, sums, weight_diff))
