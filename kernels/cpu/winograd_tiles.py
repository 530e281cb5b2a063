"""What Winograd's convolution does to planes, cut into tiles: there and back. (To the weights:
winograd_windows.py.)

Transformed, a tile is 8 x 8 values, each one of a matrix product of its own. A machine's vector
takes LANES of these products side by side; so the transformed planes lie as

    values[group of lanes][plane][tile][lane]

Forward, the tiles of an image overlap (8 x 8, `step` apart), those of the output do not (step x
step). The gradients go the same ways back, with the transposed matrices.
"""

import numpy as np

from .frequency_kernel import LANES
from .jit import jit
from .line_copy import copy_every, copy_line
from .tile_transform import make_tile_transform
from .winograd_matrices import SIDE, winograd_matrices
from .winograd_plan import (
    HEIGHT,
    OUT_HEIGHT,
    OUT_WIDTH,
    PAD_X,
    PAD_Y,
    STEP,
    STRIDE,
    TILED_HEIGHT,
    TILED_OUT_HEIGHT,
    TILED_OUT_WIDTH,
    TILED_WIDTH,
    TILES_X,
    TILES_Y,
    VALUES,
    WIDTH,
)

LANE_GROUPS = VALUES // LANES
STEP_3 = SIDE - 3 + 1  # for windows of 3 x 3
_A_T3, _, _B_T = winograd_matrices(3)
_A_T5, _, _ = winograd_matrices(5)

_image_in = make_tile_transform(_B_T, target_lanes=LANES)
_image_out = make_tile_transform(_B_T.T, source_lanes=LANES, add=True)
_output_out_3 = make_tile_transform(_A_T3, source_lanes=LANES, shift=True)
_output_out_5 = make_tile_transform(_A_T5, source_lanes=LANES, shift=True)
_output_in_3 = make_tile_transform(_A_T3.T, target_lanes=LANES)
_output_in_5 = make_tile_transform(_A_T5.T, target_lanes=LANES)


@jit
def _part_of_plane(plan, number):
    """A phase's part of its channel's plane: where the plane begins; for both axes the first place
    in the phase that lies in the plane, the last + 1 and the first one's place in the plane."""
    stride = plan[STRIDE]
    channel, phase = number // (stride * stride), number % (stride * stride)
    start = channel * plan[HEIGHT] * plan[WIDTH]
    y = _places(plan[HEIGHT], plan[PAD_Y], stride, phase // stride)
    return start, y, _places(plan[WIDTH], plan[PAD_X], stride, phase % stride)


@jit
def _places(size, pad, stride, remainder):
    first = max(0, (pad - remainder + stride - 1) // stride)
    last = (size + pad - remainder + stride - 1) // stride
    return first, last, first * stride + remainder - pad


@jit
def image_in(plan, bottom, number, plane, values, target, row):
    """Transform the tiles of a phase of the image, the one with this number. plane: memory; one
    group of lanes begins `row` floats after the other."""
    height, width, pitch = plan[HEIGHT], plan[WIDTH], plan[TILED_WIDTH]
    if plan[STRIDE] == 1 and plan[TILED_HEIGHT] == height and pitch == width:
        start = number * height * width
        _image_tiles_in(plan, bottom, start, width, values, target, row)
        return
    plane[: plan[TILED_HEIGHT] * pitch] = 0
    stride = plan[STRIDE]
    start, (first, last, top), (left, right, x) = _part_of_plane(plan, number)
    count = max(0, min(right, pitch) - left)
    for y in range(first, min(last, plan[TILED_HEIGHT])):
        source, line = start + (top + (y - first) * stride) * width + x, y * pitch + left
        copy_every(bottom, source, stride, plane, line, count)
    _image_tiles_in(plan, plane, 0, pitch, values, target, row)


@jit
def _image_tiles_in(plan, source, start, pitch, values, target, row):
    step, across = plan[STEP], plan[TILES_X]
    for y in range(plan[TILES_Y]):
        for x in range(across):
            _image_in(source, start + (y * pitch + x) * step, pitch, values, target, row)
            target += LANES


@jit
def image_out(plan, values, source, row, plane, bottom_diff, number):
    """Overwrite a phase of the gradient by the image with the sum of its tiles."""
    height, width, pitch = plan[HEIGHT], plan[WIDTH], plan[TILED_WIDTH]
    if plan[STRIDE] == 1 and plan[TILED_HEIGHT] == height and pitch == width:
        start = number * height * width
        bottom_diff[start : start + height * width] = 0
        _image_tiles_out(plan, values, source, row, bottom_diff, start, width)
        return
    plane[: plan[TILED_HEIGHT] * pitch] = 0
    _image_tiles_out(plan, values, source, row, plane, 0, pitch)
    stride = plan[STRIDE]
    start, (first, last, top), (left, right, x) = _part_of_plane(plan, number)
    for y in range(first, last):
        target, line = start + (top + (y - first) * stride) * width + x, y * pitch + left
        if stride == 1:
            copy_line(plane, line, bottom_diff, target, right - left)
        else:
            for i in range(right - left):
                seen = y < plan[TILED_HEIGHT] and left + i < pitch
                bottom_diff[target + i * stride] = plane[line + i] if seen else np.float32(0)


@jit
def _image_tiles_out(plan, values, source, row, target, start, pitch):
    step, across = plan[STEP], plan[TILES_X]
    for y in range(plan[TILES_Y]):
        for x in range(across):
            _image_out(values, source, row, target, start + (y * pitch + x) * step, pitch)
            source += LANES


@jit
def output_in(plan, top_diff, number, mask, cells, plane, values, target, row):
    """Transform the tiles of an output's plane, the one with this number.

    Where a plane has `cells` gradients only, top_diff are these, and mask says where they are.
    """
    height, width, pitch = plan[OUT_HEIGHT], plan[OUT_WIDTH], plan[TILED_OUT_WIDTH]
    if plan[TILED_OUT_HEIGHT] == height and pitch == width and not cells:
        start = number * height * width
        _output_tiles_in(plan, top_diff, start, width, values, target, row)
        return
    plane[: plan[TILED_OUT_HEIGHT] * pitch] = 0
    if cells:
        first, last = number * cells, (number + 1) * cells
        _spread(top_diff[first:last], mask[first:last], width, plane, pitch)
    else:
        for y in range(height):
            copy_line(top_diff, (number * height + y) * width, plane, y * pitch, width)
    _output_tiles_in(plan, plane, 0, pitch, values, target, row)


@jit
def _spread(gradients, mask, width, plane, pitch):
    """Add gradients to a plane where the mask says; its lines are `width` long there."""
    if pitch == width:
        for i in range(gradients.size):
            plane[np.uint32(mask[i])] += gradients[i]
    else:
        for i in range(gradients.size):
            y = np.uint32(mask[i]) // np.uint32(width)
            plane[y * np.uint32(pitch - width) + np.uint32(mask[i])] += gradients[i]


@jit
def _output_tiles_in(plan, source, start, pitch, values, target, row):
    step, across = plan[STEP], plan[TILES_X]
    for y in range(plan[TILES_Y]):
        for x in range(across):
            place = start + (y * pitch + x) * step
            if step == STEP_3:
                _output_in_3(source, place, pitch, values, target, row)
            else:
                _output_in_5(source, place, pitch, values, target, row)
            target += LANES


@jit
def output_out(plan, values, source, row, bias, plane, top, start):
    """Overwrite an output's plane, its bias added."""
    height, width, pitch = plan[OUT_HEIGHT], plan[OUT_WIDTH], plan[TILED_OUT_WIDTH]
    if plan[TILED_OUT_HEIGHT] == height and pitch == width:
        _output_tiles_out(plan, values, source, row, bias, top, start, width)
        return
    _output_tiles_out(plan, values, source, row, bias, plane, 0, pitch)
    for y in range(height):
        copy_line(plane, y * pitch, top, start + y * width, width)


@jit
def _output_tiles_out(plan, values, source, row, bias, target, start, pitch):
    step, across = plan[STEP], plan[TILES_X]
    for y in range(plan[TILES_Y]):
        for x in range(across):
            place = start + (y * pitch + x) * step
            if step == STEP_3:
                _output_out_3(values, source, row, target, place, pitch, bias)
            else:
                _output_out_5(values, source, row, target, place, pitch, bias)
            source += LANES
