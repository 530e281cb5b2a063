"""Images with their channels side by side, as products over windows with few non-zeros want them.

    target[start + i * pixel + c] = source[first + c * plane + i]      i < count, c < channels

Each pixel takes `pixel` floats, its channels and perhaps a few unused ones. A row of a window is
then one run of memory, all channels of its pixels, long enough for whole vectors.
"""

from .jit import jit
from .line_copy import LINE_WIDTH
from .vector import make_transpose

_transpose = make_transpose(LINE_WIDTH)


@jit
def to_channels_last(source, first, channels, plane, target, start, pixel, count):
    """Move `count` pixels of an image whose channels are `plane` floats apart."""
    whole, square = channels - channels % LINE_WIDTH, count - count % LINE_WIDTH
    for c in range(0, whole, LINE_WIDTH):
        for i in range(0, square, LINE_WIDTH):
            _transpose(source, first + c * plane + i, plane, target, start + i * pixel + c, pixel)
    for c in range(channels):
        for i in range(square if c < whole else 0, count):
            target[start + i * pixel + c] = source[first + c * plane + i]


@jit
def from_channels_last(source, start, pixel, target, first, channels, plane, count):
    """The way back: target[first + c * plane + i] = source[start + i * pixel + c]."""
    whole, square = channels - channels % LINE_WIDTH, count - count % LINE_WIDTH
    for c in range(0, whole, LINE_WIDTH):
        for i in range(0, square, LINE_WIDTH):
            _transpose(source, start + i * pixel + c, pixel, target, first + c * plane + i, plane)
    for c in range(channels):
        for i in range(square if c < whole else 0, count):
            target[first + c * plane + i] = source[start + i * pixel + c]
