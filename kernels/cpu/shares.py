"""Long arrays cut into shares, one for each turn of a parallel loop.

A launch of threads costs microseconds, up to 50 where they have gone to sleep, so little work is
one share, which `parallel_for` does where it is. Work is measured in values: as many as a kernel
that only passes over memory takes in the same time, a fifth of a nanosecond each.
"""

from .jit import jit

LEAST = 1 << 16  # work that is worth a launch
SHARE = 1 << 12  # work of a share
LINE = 16  # floats in a cache line


@jit
def share_count(work: int) -> int:
    """How many shares to cut so much work into."""
    return 1 if work < LEAST else -(-work // SHARE)


@jit
def share(i: int, count: int, size: int) -> tuple[int, int]:
    """The first and the last + 1 of `size` values that share number i of `count` has.

    Each begins at a multiple of 16 values: at a cache line, if the array does.
    """
    lines = -(-size // LINE)
    return min(lines * i // count * LINE, size), min(lines * (i + 1) // count * LINE, size)
