"""The tables by which a convolution with its outputs in the lanes walks over images (see
convolution_lanes.py). They depend on the shapes only.

A tile is a list of pixels, or of windows' rows. Those that see the same part of the image are
put together, so that what lies in the padding is left out and not multiplied by zero.
"""

import math
from typing import NamedTuple

import numpy as np

from .gemm import block_of
from .im2col import DILATION, INPUT, KERNEL, OUTPUT, PAD, STRIDE
from .lanes_kernel import HIGH, LOW, lanes_for

LEAST_DEPTH = 128  # values of K, below which laying out the outputs costs too much
MOST_PIXELS = 512  # about, of the images that tiles are made of at a time
OVERHEAD = 0.5  # what a tile costs beside its rows, in rows


class Slide(NamedTuple):
    """How a kernel slides over padded images, `images` at a time. Places count floats."""

    lanes: int  # outputs side by side
    images: int
    image: int  # floats of one, all channels
    lines: int  # of one channel
    pitch: int  # floats of a line
    pad_y: int
    pad_x: int
    height: int  # pixels of a tile
    places: np.ndarray  # of the pixels' windows, in the order of tiles
    sums: np.ndarray  # places of their outputs
    kinds: np.ndarray  # of each tile: which of these tables serves it
    steps: np.ndarray  # (kinds, K): places of the windows' rows that it sees
    weights: np.ndarray  # (kinds, K): places of their weights
    bounds: np.ndarray  # (kinds, blocks + 1): where the blocks of K begin in these


class Gradient(NamedTuple):
    """How the weight gradient walks over a Slide's images, `images` at a time."""

    images: int
    height: int  # rows of a tile
    places: np.ndarray  # of the windows' rows, in the order of tiles
    sums: np.ndarray  # places of their sums
    tiles: np.ndarray  # (tiles, 3): first row, rows, which of these tables
    steps: np.ndarray  # (tables, images * pixels): places of the pixels that the rows see
    diffs: np.ndarray  # (tables, images * pixels): places of their gradients
    counts: np.ndarray  # (tables,): how many an image has


def make_slide(
    num: int, group: int, channels: int, outputs: int, table: np.ndarray, memory: int, turned: bool
) -> Slide | None:
    """channels, outputs: of one of the groups. table: im2col.geometry. memory: floats that a task
    has. turned: for the data gradient, whose kernel is turned around. None where this way does not
    serve: outputs that do not fill the lanes, too few windows' rows, too little memory."""
    lanes = lanes_for(outputs)
    depth, pixels = channels * math.prod(table[KERNEL].tolist()), math.prod(table[OUTPUT].tolist())
    if not lanes or depth < LEAST_DEPTH or not num * pixels or table[PAD].min() < 0:
        return None
    lines, pitch = (table[INPUT] + 2 * table[PAD]).tolist()
    image = group * channels * lines * pitch
    most = min(max(1, MOST_PIXELS // pixels), memory // task_memory(image, pixels * lanes))
    if not most:
        return None
    images = max(n for n in range(1, most + 1) if num % n == 0)
    n, pixel = np.divmod(np.arange(images * pixels), pixels)
    y, x = np.divmod(pixel, table[OUTPUT, 1])
    order = np.lexsort((_kinds(table, 1)[x], _kinds(table, 0)[y]))
    seen, windows = _seen(table), _places(table, KERNEL, DILATION, pitch)
    if turned:
        seen, windows = seen[:, ::-1], windows[::-1]
    tiles = {
        height: np.logical_or.reduceat(seen[pixel[order]], np.arange(0, len(order), height))
        for height in (LOW, HIGH)
    }
    height = min(tiles, key=lambda height: tiles[height].sum() * (height + OVERHEAD))
    masks, kinds = np.unique(tiles[height], axis=0, return_inverse=True)
    rows = np.add.outer(np.arange(channels) * lines * pitch, windows).ravel()
    cuts = [0]
    while cuts[-1] < depth:
        cuts.append(cuts[-1] + int(block_of(depth - cuts[-1])))
    steps = np.zeros((len(masks), depth), np.int64)
    weights, bounds = np.zeros_like(steps), np.zeros((len(masks), len(cuts)), np.int64)
    for kind, mask in enumerate(masks):
        met = np.flatnonzero(np.tile(mask, channels))
        steps[kind, : len(met)] = rows[met]
        weights[kind, : len(met)] = met * lanes
        bounds[kind] = np.searchsorted(met, cuts)
    places = (n * image + _places(table, OUTPUT, STRIDE, pitch)[pixel])[order]
    sums = (np.arange(images * pixels) * lanes)[order]
    pad_y, pad_x = table[PAD].tolist()
    return Slide(
        lanes, images, image, lines, pitch, pad_y, pad_x, height,
        places, sums, kinds.reshape(-1), steps, weights, bounds,
    )  # fmt: skip


def make_gradient(
    images: int, channels: int, outputs: int, table: np.ndarray, slide: Slide
) -> Gradient:
    """images: at a time. channels: of one of the groups. outputs: of all."""
    pixels = math.prod(table[OUTPUT].tolist())
    masks, kinds = np.unique(_seen(table).T, axis=0, return_inverse=True)
    windows = _places(table, KERNEL, DILATION, slide.pitch)
    rows = np.add.outer(np.arange(channels) * slide.lines * slide.pitch, windows).ravel()
    kind_of_row = np.tile(kinds.reshape(-1), channels)
    most = np.bincount(kind_of_row)
    height = min(LOW, HIGH, key=lambda height: (-(-most // height)).sum() * (height + OVERHEAD))
    pixel_places = _places(table, OUTPUT, STRIDE, slide.pitch)
    steps = np.zeros((len(masks), images * pixels), np.int64)
    diffs, counts = np.zeros_like(steps), masks.sum(1)
    n = np.arange(images)[:, None]
    tiles: list[tuple[int, int, int]] = []
    for kind, mask in enumerate(masks):
        met = np.flatnonzero(mask)
        steps[kind, : images * len(met)] = (n * slide.image + pixel_places[met]).ravel()
        diffs[kind, : images * len(met)] = (n * outputs * pixels + met * slide.lanes).ravel()
        first, last = np.searchsorted(np.sort(kind_of_row), (kind, kind + 1)).tolist()
        tiles += [(i, min(height, last - i), kind) for i in range(first, last, height)]
    order = np.argsort(kind_of_row, kind="stable")
    return Gradient(
        images, height, rows[order], order * slide.lanes, np.array(tiles, np.int64),
        steps, diffs, counts,
    )  # fmt: skip


def task_memory(image: int, sums: int) -> int:
    """Floats for a padded image and the sums of its outputs; each task's start at a cache line."""
    return -(-(image + sums) // 16) * 16


def _inside(table: np.ndarray, axis: int) -> np.ndarray:
    """(outputs, kernel): whether they meet inside the image, along an axis."""
    outputs, kernel = (
        np.arange(table[count, axis]) * table[step, axis]
        for count, step in ((OUTPUT, STRIDE), (KERNEL, DILATION))
    )
    place = outputs[:, None] + kernel - table[PAD, axis]
    return (place >= 0) & (place < table[INPUT, axis])


def _kinds(table: np.ndarray, axis: int) -> np.ndarray:
    """A number for each output along an axis, the same for those that see the same part."""
    return np.unique(_inside(table, axis), axis=0, return_inverse=True)[1].reshape(-1)


def _seen(table: np.ndarray) -> np.ndarray:
    """(pixels, kernel positions): whether they meet inside the image."""
    y, x = _inside(table, 0), _inside(table, 1)
    return (y[:, None, :, None] & x[None, :, None, :]).reshape(len(y) * len(x), -1)


def _places(table: np.ndarray, counts: int, steps: int, pitch: int) -> np.ndarray:
    """Where the pixels, or the kernel's positions, lie in a padded plane."""
    y, x = (np.arange(table[counts, axis]) * table[steps, axis] for axis in range(2))
    return np.add.outer(y * pitch, x).ravel()
