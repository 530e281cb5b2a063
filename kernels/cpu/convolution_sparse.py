"""The gradients of a convolution whose only reader is a max pooling.

Of the outputs in a pooling window only the largest has a gradient: of 2 x 2, three of four are
zero. So both products are taken entry by entry (weighted_sum.py), an entry being an output with a
gradient, the one of the pooling window that chose it, at the place that the mask names:

    weight gradient   window[m] += gradient * window of the image at the entry's place
    data gradient     window of the image's gradient at a place += sum over the entries there
                      of gradient * window[m]

Images and windows lie with their channels last (channels_last.py): a window's row is then one run
of memory. The tasks of the first are shares of the images, with sums of their own, and parts of the
outputs; the shares' sums are added in their order. Those of the second are images, whose entries
are sorted by place, in the order of the outputs. So results are the same to the bit for any number
of threads.
"""

import numpy as np

from . import sparse_plan as sizes
from .channels_last import from_channels_last, to_channels_last
from .jit import jit
from .line_copy import add_line
from .parallel import parallel_for
from .sparse_plan import memory_of_share, shares, weight_memory, window_begins, windows_size
from .weighted_sum import LANES, TILES, sum_1x10, sum_1x15, sum_2x5, sum_5x1, sum_5x2

MANY = 4  # a list is rid of its zeros where more than one in so many is one
TILE_ROWS = np.array([rows for rows, _ in TILES])
TILE_FLOATS = np.array([vectors * LANES for _, vectors in TILES])


def backward_weight(
    plan: np.ndarray,
    bottom: np.ndarray,
    pooled_diff: np.ndarray,
    mask: np.ndarray,
    weight_diff: np.ndarray,
    workspace: np.ndarray,
) -> None:
    """Add to weight_diff. pooled_diff, mask: (N, M, PH, PW)."""
    num, cells = len(bottom), pooled_diff[0, 0].size
    share_count, tasks = int(plan[sizes.SHARES]), int(plan[sizes.SHARES] * plan[sizes.PARTS])
    size, windows = weight_memory(plan, cells), windows_size(plan)
    rest = share_count * windows
    _backward_weight(
        plan, window_begins(plan), num, cells, bottom.reshape(-1), pooled_diff.reshape(-1),
        mask.reshape(-1), weight_diff.reshape(-1), workspace[:rest].reshape(share_count, windows),
        workspace[rest : rest + tasks * size].reshape(tasks, size),
    )  # fmt: skip


def backward_data(
    plan: np.ndarray,
    pooled_diff: np.ndarray,
    mask: np.ndarray,
    weight: np.ndarray,
    bottom_diff: np.ndarray,
    workspace: np.ndarray,
) -> None:
    """Overwrite bottom_diff."""
    num, cells = len(bottom_diff), pooled_diff[0, 0].size
    windows, tasks, size = windows_size(plan), shares(num), memory_of_share(plan, cells)
    memories = workspace[windows : windows + tasks * size].reshape(tasks, size)
    _backward_data(
        plan, num, cells, pooled_diff.reshape(-1), mask.reshape(-1), weight.reshape(-1),
        bottom_diff.reshape(-1), workspace[:windows], memories,
    )  # fmt: skip


@jit(inline=True)
def _add_tile(tile, count, offsets, factors, first, source, i, source_row, target, o, target_row):
    """One tile, from source[i] and target[o] on, of the window: the sum of its entries."""
    if tile == 0:
        sum_1x15(count, offsets, factors, first, source, i, source_row, target, o, target_row)
    elif tile == 1:
        sum_1x10(count, offsets, factors, first, source, i, source_row, target, o, target_row)
    elif tile == 2:
        sum_2x5(count, offsets, factors, first, source, i, source_row, target, o, target_row)
    elif tile == 3:
        sum_5x2(count, offsets, factors, first, source, i, source_row, target, o, target_row)
    else:
        sum_5x1(count, offsets, factors, first, source, i, source_row, target, o, target_row)


@jit
def _pack_image(plan, number, bottom, images, start):
    """One group of an image, with its padding: the one with this number."""
    channels, pixel = plan[sizes.CHANNELS], plan[sizes.PIXEL]
    height, width, image = plan[sizes.HEIGHT], plan[sizes.WIDTH], plan[sizes.IMAGE]
    source = number * channels * height * width
    if plan[sizes.PAD_Y] == 0 and plan[sizes.PAD_X] == 0:
        to_channels_last(
            bottom, source, channels, height * width, images, start, pixel, height * width
        )
        return
    images[start : start + image] = 0
    start += plan[sizes.PAD_Y] * plan[sizes.PITCH] + plan[sizes.PAD_X] * pixel
    for y in range(height):
        to_channels_last(
            bottom, source + y * width, channels, height * width,
            images, start + y * plan[sizes.PITCH], pixel, width,
        )  # fmt: skip


@jit(inline=True)
def _list_entries(gradients, mask, begins, image, offsets, factors):
    """The entries of one output in one image, which begins at `image`: where their windows begin,
    and their gradients. Returns how many there are."""
    zeros = 0
    for i in range(gradients.size):
        offsets[i] = image + begins[np.uint32(mask[i])]
    for i in range(gradients.size):
        factors[i] = gradients[i]
        zeros += gradients[i] == 0
    if zeros * MANY < gradients.size:
        return gradients.size
    count = 0
    for i in range(gradients.size):
        offsets[count], factors[count] = offsets[i], factors[i]
        count += gradients[i] != 0
    return count


@jit
def _add_images(
    plan, begins, first, count, begin, end, cells, bottom, pooled_diff, mask, memory, sums
):
    """Add `count` images from the first one on to the windows of the outputs begin to end - 1."""
    groups, outputs, image = plan[sizes.GROUPS], plan[sizes.OUTPUTS], plan[sizes.IMAGE]
    window = plan[sizes.ROWS] * plan[sizes.ROW]
    tile, line, pitch = plan[sizes.TILE], plan[sizes.ROW], plan[sizes.PITCH]
    most = plan[sizes.AT_ONCE] * cells
    factors, offsets = memory[:most], memory[most : 2 * most].view(np.int32)
    images = memory[2 * most :]
    for g in range(begin // outputs, -(-end // outputs)):
        for i in range(count):
            _pack_image(plan, (first + i) * groups + g, bottom, images, i * image)
        for output in range(max(begin, g * outputs), min(end, (g + 1) * outputs)):
            entries = 0
            for i in range(count):
                cell = ((first + i) * groups * outputs + output) * cells
                entries += _list_entries(
                    pooled_diff[cell : cell + cells], mask[cell : cell + cells], begins,
                    i * image, offsets[entries:], factors[entries:],
                )  # fmt: skip
            for row in range(0, plan[sizes.ROWS], TILE_ROWS[tile]):
                for column in range(0, line, TILE_FLOATS[tile]):
                    _add_tile(
                        tile, entries, offsets, factors, 0, images, row * pitch + column, pitch,
                        sums, output * window + row * line + column, line,
                    )  # fmt: skip


@jit
def _sum_of_share(task, plan, begins, num, cells, bottom, pooled_diff, mask, sums, memories):
    """A share of the images, and a part of the outputs."""
    shares, parts = plan[sizes.SHARES], plan[sizes.PARTS]
    share, part, outputs = task // parts, task % parts, plan[sizes.GROUPS] * plan[sizes.OUTPUTS]
    begin, end = outputs * part // parts, outputs * (part + 1) // parts
    window = plan[sizes.ROWS] * plan[sizes.ROW]
    sums[share, begin * window : end * window] = 0
    last = num * (share + 1) // shares
    for first in range(num * share // shares, last, plan[sizes.AT_ONCE]):
        _add_images(
            plan, begins, first, min(plan[sizes.AT_ONCE], last - first), begin, end, cells,
            bottom, pooled_diff, mask, memories[task], sums[share],
        )  # fmt: skip


@jit
def _add_window(output, plan, sums, weight_diff):
    """Add up the shares of one output, and the result to its weights."""
    kernel_x, pixel, channels = plan[sizes.KERNEL_X], plan[sizes.PIXEL], plan[sizes.CHANNELS]
    size, window = plan[sizes.KERNEL_Y] * kernel_x, plan[sizes.ROWS] * plan[sizes.ROW]
    total = sums[0]
    for share in range(1, len(sums)):
        add_line(sums[share], output * window, total, output * window, window)
    for y in range(plan[sizes.KERNEL_Y]):
        start = (output * plan[sizes.ROWS] + y) * plan[sizes.ROW]
        for c in range(channels):
            o = (output * channels + c) * size + y * kernel_x
            for x in range(kernel_x):
                weight_diff[o + x] += total[start + x * pixel + c]


@jit
def _backward_weight(
    plan, begins, num, cells, bottom, pooled_diff, mask, weight_diff, sums, memories
):
    arguments = (plan, begins, num, cells, bottom, pooled_diff, mask, sums, memories)
    parallel_for(_sum_of_share, len(memories), arguments)
    parallel_for(_add_window, plan[sizes.GROUPS] * plan[sizes.OUTPUTS], (plan, sums, weight_diff))


@jit
def _pack_window(output, plan, weight, windows):
    kernel_x, pixel, channels = plan[sizes.KERNEL_X], plan[sizes.PIXEL], plan[sizes.CHANNELS]
    size, window = plan[sizes.KERNEL_Y] * kernel_x, plan[sizes.ROWS] * plan[sizes.ROW]
    windows[output * window : (output + 1) * window] = 0
    for y in range(plan[sizes.KERNEL_Y]):
        start = output * window + y * plan[sizes.ROW]
        for c in range(channels):
            i = (output * channels + c) * size + y * kernel_x
            for x in range(kernel_x):
                windows[start + x * pixel + c] = weight[i + x]


@jit
def _sort_entries(gradients, mask, cells, window, starts, offsets, factors):
    """The entries of all outputs of a group in an image, those of a place side by side: place p
    has those from starts[p] to starts[p + 1] - 1. Their offsets are those of the windows."""
    starts[:] = 0
    counts, ends = starts[2:], starts[1:]
    for i in range(gradients.size):
        counts[np.uint32(mask[i])] += gradients[i] != 0
    for place in range(1, counts.size):
        counts[place] += counts[place - 1]
    for m in range(gradients.size // cells):
        for i in range(m * cells, (m + 1) * cells):
            if gradients[i] != 0:
                chosen = np.uint32(mask[i])
                entry = np.uint32(ends[chosen])
                offsets[entry] = m * window
                factors[entry] = gradients[i]
                ends[chosen] += 1


@jit
def _add_windows(plan, starts, offsets, factors, windows, image):
    """Add the entries of all places to the image's gradient, a tile of all windows at a time: the
    part of the weights that it reads stays in the cache."""
    width, tile = plan[sizes.OUT_WIDTH], plan[sizes.TILE]
    line, pitch = plan[sizes.ROW], plan[sizes.PITCH]
    for row in range(0, plan[sizes.ROWS], TILE_ROWS[tile]):
        for column in range(0, line, TILE_FLOATS[tile]):
            for place in range(plan[sizes.OUT_HEIGHT] * width):
                first, y = np.int64(starts[place]), place // width
                if starts[place + 1] > first:
                    o = (y * plan[sizes.STRIDE_Y] + row) * pitch + column
                    o += (place - y * width) * plan[sizes.STRIDE_X] * plan[sizes.PIXEL]
                    _add_tile(
                        tile, starts[place + 1] - first, offsets, factors, first, windows,
                        row * line + column, line, image, o, pitch,
                    )  # fmt: skip


@jit
def _gradients_of_share(share, plan, num, cells, pooled_diff, mask, windows, bottom_diff, memories):
    """The gradients by a run of images."""
    groups, outputs, channels = plan[sizes.GROUPS], plan[sizes.OUTPUTS], plan[sizes.CHANNELS]
    height, width, pixel = plan[sizes.HEIGHT], plan[sizes.WIDTH], plan[sizes.PIXEL]
    pitch, window = plan[sizes.PITCH], plan[sizes.ROWS] * plan[sizes.ROW]
    # Without padding all of an image's pixels are one run.
    rows, length = (1, height * width) if pitch == width * pixel else (height, width)
    most, places = outputs * cells, plan[sizes.OUT_HEIGHT] * plan[sizes.OUT_WIDTH]
    memory = memories[share]
    image, rest = memory[: plan[sizes.IMAGE]], memory[plan[sizes.IMAGE] :]
    factors, table = rest[:most], rest[most:].view(np.int32)
    offsets, starts = table[:most], table[most : most + places + 2]
    first, last = num * share // len(memories), num * (share + 1) // len(memories)
    for i in range(first * groups, last * groups):
        g, entries = i % groups, slice(i * most, (i + 1) * most)
        image[:] = 0
        _sort_entries(pooled_diff[entries], mask[entries], cells, window, starts, offsets, factors)
        _add_windows(plan, starts, offsets, factors, windows[g * outputs * window :], image)
        start = plan[sizes.PAD_Y] * pitch + plan[sizes.PAD_X] * pixel
        for y in range(rows):
            from_channels_last(
                image, start + y * pitch, pixel,
                bottom_diff, i * channels * height * width + y * width, channels,
                height * width, length,
            )  # fmt: skip


@jit
def _backward_data(plan, num, cells, pooled_diff, mask, weight, bottom_diff, windows, memories):
    parallel_for(_pack_window, plan[sizes.GROUPS] * plan[sizes.OUTPUTS], (plan, weight, windows))
    parallel_for(
        _gradients_of_share, len(memories),
        (plan, num, cells, pooled_diff, mask, windows, bottom_diff, memories),
    )  # fmt: skip
