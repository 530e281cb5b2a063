"""What Winograd's convolution does to the windows of the weights: there and back.

Transformed, they lie as planes do (winograd_tiles.py): values[group of lanes][window][lane]. Where
windows are not those of the weights, but parts of them filled up with zeros (winograd_plan.py),
each one is put together in a small memory first.
"""

import numpy as np

from .frequency_kernel import LANES
from .jit import jit
from .tile_transform import make_tile_transform
from .winograd_matrices import winograd_matrices
from .winograd_plan import KERNEL, STRIDE, VALUES, WINDOW

_G3, _G5 = winograd_matrices(3)[1], winograd_matrices(5)[1]
_weight_in_3 = make_tile_transform(_G3, target_lanes=LANES)
_weight_in_5 = make_tile_transform(_G5, target_lanes=LANES)
_weight_out_3 = make_tile_transform(_G3.T, source_lanes=LANES, add=True)
_weight_out_5 = make_tile_transform(_G5.T, source_lanes=LANES, add=True)


@jit
def weights_in(plan, weight, number, step, count, values, target, row):
    """Transform windows of the weights, each of one output and phase: that with this number and
    each `step` further one."""
    kernel, size = plan[KERNEL], plan[KERNEL] * plan[KERNEL]
    start = number * size
    whole = _whole_windows(plan)
    windows = weight if whole else np.empty(VALUES, np.float32)
    for n in range(count):
        if not whole:
            start = 0
            _take_window(plan, weight, number + n * step, windows)
        if kernel == 3:
            _weight_in_3(windows, start, kernel, values, target, row)
        else:
            _weight_in_5(windows, start, kernel, values, target, row)
        start, target = start + size * step, target + LANES


@jit
def weights_out(plan, values, source, row, weight_diff, number, count):
    """Add to windows of the gradient, from the one with this number on."""
    kernel, size = plan[KERNEL], plan[KERNEL] * plan[KERNEL]
    start = number * size
    whole = _whole_windows(plan)
    windows = weight_diff if whole else np.empty(VALUES, np.float32)
    for n in range(count):
        if not whole:
            start = 0
            windows[:] = 0
        if kernel == 3:
            _weight_out_3(values, source, row, windows, start, kernel)
        else:
            _weight_out_5(values, source, row, windows, start, kernel)
        if not whole:
            _add_window(plan, windows, weight_diff, number + n)
        start, source = start + size, source + LANES


@jit
def _whole_windows(plan):
    """Whether the windows of the phases are those of the weights."""
    return plan[WINDOW] == plan[KERNEL] and plan[STRIDE] == 1


@jit
def _take_window(plan, weight, number, window):
    first, height, width = _part_of_window(plan, number)
    window[:] = 0
    for j in range(height):
        for i in range(width):
            place = first + (j * plan[WINDOW] + i) * plan[STRIDE]
            window[j * plan[KERNEL] + i] = weight[place]


@jit
def _add_window(plan, window, weight_diff, number):
    first, height, width = _part_of_window(plan, number)
    for j in range(height):
        for i in range(width):
            place = first + (j * plan[WINDOW] + i) * plan[STRIDE]
            weight_diff[place] += window[j * plan[KERNEL] + i]


@jit
def _part_of_window(plan, number):
    """Where a phase's part of its window begins in the weights, its height and width."""
    stride, side = plan[STRIDE], plan[WINDOW]
    window, phase = number // (stride * stride), number % (stride * stride)
    y, x = phase // stride, phase % stride
    return (
        window * side * side + y * side + x, (side - y + stride - 1) // stride,
        (side - x + stride - 1) // stride
    )  # fmt: skip
