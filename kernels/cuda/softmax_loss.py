"""Softmax and multinomial logistic loss in one.

    prob = softmax of bottom over the channels
    loss = - sum over positions (outer, inner) of log prob[outer, label, inner] / normalizer
    bottom_diff = loss_weight / normalizer * (prob - (1 where the channel is the label, else 0))

Together they need no division by a small probability, and the gradient is one subtraction.
bottom, prob, bottom_diff: (outer, channels, inner) float32; label: (outer, inner) float32, whole
numbers. Positions whose label is `ignore_label` (NO_LABEL: none) add no loss and no gradient.

Few positions are the work of one block, which has the loss at once; for many, each block leaves its
sum, and a second launch adds them up. The losses add in float64, in an order that depends on the
shape only.
"""

import functools
import math
from typing import Any

import numpy as np
from numba import cuda

from .labels import NO_BAD, is_class
from .launch import THREADS, device, kernel, launch, launch_each, scratch
from .softmax import make_softmax
from .teams import add, blocks_of_teams, make_line, make_member, make_reduce, teams_for
from .window_values import divide

NO_LABEL = math.nan  # equal to no label
SMALLEST = np.finfo(np.float32).tiny  # of the normal float32: keeps log finite

_sum_of_block = make_reduce(THREADS, 1, add)


@device
def _of_block(loss, count, bad):
    """What the threads of a block have found together: the losses' and counts' sums, and the
    smallest index."""
    sums = cuda.shared.array(THREADS, np.float64)
    numbers = cuda.shared.array(2, np.int32)
    thread = cuda.threadIdx.x
    if thread == 0:
        numbers[0], numbers[1] = 0, NO_BAD
    loss = _sum_of_block(sums, thread, thread, loss)
    if count > 0:
        cuda.atomic.add(numbers, 0, count)
    if bad < NO_BAD:
        cuda.atomic.min(numbers, 1, bad)
    cuda.syncthreads()
    return loss, numbers[0], numbers[1]


@device
def _divisor(normalizer, count):
    return normalizer if normalizer > np.float32(0) else np.float32(max(count, 1))


@device
def _finish(found, normalizer, block, loss, status):
    """The loss and status, of what all threads have found."""
    total, count, bad = found
    good = bad == NO_BAD
    status[0], status[1] = count, -1 if good else bad
    loss[0] = total / np.float64(_divisor(normalizer, count)) if good else np.nan


@device
def _keep(found, normalizer, block, losses, numbers):
    """What the threads of this block have found, for `_add_up`."""
    losses[block], numbers[2 * block], numbers[2 * block + 1] = found


@functools.cache
def _make_forward(channels, inner, single):
    teams = teams_for(channels, inner)
    member, line = make_member(teams), make_line(channels, inner)
    softmax = make_softmax(channels, inner)
    end = _finish if single else _keep

    @kernel
    def forward(bottom, label, ignore_label, normalizer, prob, losses, numbers):
        shared = cuda.shared.array(THREADS, np.float32)
        thread = cuda.threadIdx.x
        team, lane = member(thread)
        loss, count, bad = np.float64(0), np.int32(0), np.int32(NO_BAD)
        # All threads take as many turns, also those without a position.
        for start in range(
            cuda.blockIdx.x * teams.in_block, label.size, cuda.gridDim.x * teams.in_block
        ):
            position = start + team
            first, present = line(position, label.size)
            softmax(bottom, prob, first, present, shared, thread, lane)
            if present and label[position] != ignore_label:
                if not is_class(label[position], channels):
                    bad = min(bad, np.int32(position))
                    continue
                true_class = int(label[position])
                if divide(true_class, teams.lanes)[1] == lane:  # it wrote that channel
                    p = prob[first + true_class * inner]
                    loss -= np.float64(math.log(np.float32(SMALLEST) if p < SMALLEST else p))
                    count += 1
        found = _of_block(loss, count, bad)
        if thread == 0:
            end(found, normalizer, cuda.blockIdx.x, losses, numbers)

    return forward


@kernel
def _add_up(losses, numbers, normalizer, loss, status):
    """In one block, what many have found."""
    thread = cuda.threadIdx.x
    total, count, bad = np.float64(0), np.int32(0), np.int32(NO_BAD)
    for block in range(thread, losses.size, THREADS):
        total += losses[block]
        count += numbers[2 * block]
        bad = min(bad, numbers[2 * block + 1])
    found = _of_block(total, count, bad)
    if thread == 0:
        _finish(found, normalizer, 0, loss, status)


@functools.cache
def _make_backward(channels, inner):
    @kernel
    def backward(prob, label, ignore_label, loss_weight, normalizer, status, bottom_diff):
        i = cuda.grid(1)
        if i < prob.size:
            line, x = divide(i, inner)
            n, c = divide(line, channels)
            wanted = label[n * inner + x]
            scale = loss_weight[0] / _divisor(normalizer, status[0])
            one_hot = np.float32(1) if wanted == np.float32(c) else np.float32(0)
            gradient = scale * (prob[i] - one_hot)
            bottom_diff[i] = np.float32(0) if wanted == ignore_label else gradient

    return backward


def softmax_loss_forward(
    bottom: Any,
    label: Any,
    ignore_label: float,
    normalizer: float,
    prob: Any,
    loss: Any,
    status: Any,
) -> None:
    """Fill `prob`, `loss` and `status`.

    normalizer: what the summed loss is divided by; 0: the number of labels that count, at least 1.
    loss: (1,) float32. status: (2,) int32, becomes the number of good labels that are not ignored
    and the flat index of the first label that is not a whole number in 0..channels-1 (-1: all are
    good). With a bad label, the loss is NaN.

    A probability below 1.2e-38 counts as that, as in Caffe.
    """
    _, channels, inner = bottom.shape
    numbers = np.float32(ignore_label), np.float32(normalizer)
    blocks = blocks_of_teams(label.size, channels, inner)
    if blocks == 1:
        forward = _make_forward(channels, inner, True)
        launch(forward, 1, THREADS, bottom, label, *numbers, prob, loss, status)
        return
    memory = scratch(4 * blocks)
    found = memory[: 2 * blocks].view(np.float64), memory[2 * blocks :].view(np.int32)
    forward = _make_forward(channels, inner, False)
    launch(forward, blocks, THREADS, bottom, label, *numbers, prob, *found)
    launch(_add_up, 1, THREADS, *found, numbers[1], loss, status)


def softmax_loss_backward(
    prob: Any,
    label: Any,
    ignore_label: float,
    loss_weight: Any,
    normalizer: float,
    status: Any,
    bottom_diff: Any,
) -> None:
    """Overwrite `bottom_diff`. loss_weight: (1,) float32; normalizer, status: forward's."""
    launch_each(
        _make_backward(*prob.shape[1:]), prob.size,
        prob, label, np.float32(ignore_label), loss_weight, np.float32(normalizer), status,
        bottom_diff,
    )  # fmt: skip
