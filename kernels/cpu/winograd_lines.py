"""The transformed weights of Winograd's convolution, in lines: one for each output or, for the data
gradient, channel. A line's windows follow each other, as a product adds them up.

Where the lines are, and who makes them, the plan says (winograd_plan.py).
"""

import numpy as np

from .frequency_kernel import LANES
from .jit import jit
from .parallel import parallel_for
from .winograd_plan import CHANNELS, GROUPS, OF_ALL, OF_PANEL, OUTPUTS, PANEL, PLACE
from .winograd_windows import weights_in


@jit
def _transform_lines(plan, weight, g, first, count, by_channel, values, line, lines):
    """The windows of `count` outputs of a group from the first one on, a line for each or, by
    channel, of channels. They become the lines from number `line` on, of so many."""
    channels, outputs, number = plan[CHANNELS], plan[OUTPUTS], g * plan[OUTPUTS] * plan[CHANNELS]
    row = lines * (outputs if by_channel else channels) * LANES
    if by_channel:
        for c in range(count):
            target = (line + c) * outputs * LANES
            weights_in(plan, weight, number + first + c, channels, outputs, values, target, row)
    else:
        start, target = number + first * channels, line * channels * LANES
        weights_in(plan, weight, start, 1, count * channels, values, target, row)


@jit
def _transform_panel(i, plan, panels, weight, values, by_channel):
    """Panel number i of all groups' lines."""
    count = plan[CHANNELS] if by_channel else plan[OUTPUTS]
    g, first = i // panels, i % panels * plan[PANEL]
    _transform_lines(
        plan, weight, g, first, min(plan[PANEL], count - first), by_channel,
        values, g * count + first, plan[GROUPS] * count,
    )  # fmt: skip


@jit
def transform_all(plan, weight, transformed, by_channel):
    """Transform the weights, if the workers do not."""
    if plan[PLACE] == OF_ALL:
        count = plan[CHANNELS] if by_channel else plan[OUTPUTS]
        panels = -(-count // plan[PANEL])
        arguments = (plan, panels, weight, transformed[0], by_channel)
        parallel_for(_transform_panel, plan[GROUPS] * panels, arguments)


@jit
def lines_of(worker, plan, weight, g, first, count, by_channel, transformed, made):
    """Some transformed lines of a group: the memory that they are in, the number of the first one,
    and of how many."""
    lines = plan[CHANNELS] if by_channel else plan[OUTPUTS]
    if plan[PLACE] == OF_ALL:
        return transformed[0], g * lines + first, plan[GROUPS] * lines
    memory = transformed[worker]
    if plan[PLACE] == OF_PANEL:
        _transform_lines(plan, weight, g, first, count, by_channel, memory, 0, plan[PANEL])
        return memory, np.int64(0), plan[PANEL]
    if not made[worker, 0]:
        for i in range(plan[GROUPS]):
            _transform_lines(
                plan, weight, i, 0, lines, by_channel, memory, i * lines, plan[GROUPS] * lines
            )
        made[worker, 0] = True
    return memory, g * lines + first, plan[GROUPS] * lines
