"""Where pooling by vectors serves; how planes are cut into strips (pooling_strip.py) and shares."""

from .jit import jit

BLOCK = 1 << 14  # floats of the planes that one strip after the other goes over: 64 KB
SHARE = 1 << 15  # floats of the planes that a thread takes at a time
AHEAD = 1 << 10  # how many floats before their use they are asked for
FAR = 1 << 20  # more floats than the caches keep


@jit
def plane_shares(planes: int, size: int) -> int:
    """Into how many shares to cut planes of `size` floats in all."""
    return max(1, min(size // SHARE, planes))


@jit
def planes_at_once(columns: int, lanes: int, area: int) -> int:
    """How many planes of `area` floats a strip goes over before the next one does. Where one strip
    takes all columns, there is no next."""
    return FAR if columns <= lanes else max(1, BLOCK // area)


@jit
def prefetch_distance(columns: int, lanes: int, size: int) -> int:
    """How many floats ahead planes of `size` floats in all are asked for: none where the caches
    keep them, or where a line is several strips long, for then that takes longer than it saves."""
    return AHEAD if size > FAR and columns <= lanes else 0


@jit
def strips(columns: int, lanes: int) -> range:
    """The first columns of the strips that cover so many: from the right to the left."""
    return range((columns - 1) // lanes * lanes, -1, -lanes)


@jit
def fits(length: int, pooled: int, size: int) -> bool:
    """Whether, along one axis, only the last column of the last window may be cut off."""
    return 2 * pooled <= length + 3 - size


@jit
def covers(length: int, pooled: int, size: int) -> bool:
    """Whether, besides, the windows leave nothing of the plane over."""
    return fits(length, pooled, size) and length <= 2 * pooled + size - 2
