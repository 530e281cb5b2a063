"""Random numbers: uniform and normal ones, for fillers.

Each four are computed from the seed and their number by Philox4x32-10 (Salmon et al., "Parallel
random numbers: as easy as 1, 2, 3", 2011), so any thread may compute any of them, and a GPU the
same. What follows is in float64, in which the products are exact: `out`, flat float32, has the same
bits everywhere, but for the last of normal ones, where logarithms and cosines may differ.
"""

import math

import numpy as np

from .jit import jit
from .parallel import parallel_for
from .shares import share, share_count

LOW, HALF, ONE = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(1)
FACTOR_0, FACTOR_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
STEP_0, STEP_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)  # of the key, from round to round
ROUNDS = 10
WORK = 8  # of a value, in the measure of shares.py


@jit(inline=True)
def _words(seed, number):
    """Four words of 32 random bits."""
    a, b, c, d = number & LOW, number >> HALF, np.uint64(0), np.uint64(0)
    key_0, key_1 = seed & LOW, seed >> HALF
    for _ in range(ROUNDS):
        product_0, product_1 = FACTOR_0 * a, FACTOR_1 * c
        a, b = (product_1 >> HALF) ^ b ^ key_0, product_1 & LOW
        c, d = (product_0 >> HALF) ^ d ^ key_1, product_0 & LOW
        key_0, key_1 = (key_0 + STEP_0) & LOW, (key_1 + STEP_1) & LOW
    return a, b, c, d


@jit
def rng_uniform(seed: int, low: float, high: float, out: np.ndarray) -> None:
    """Fill `out` with values that are uniform from `low` to `high`."""
    count = share_count(WORK * out.size)
    span = np.float32(high - low)
    parallel_for(_uniform, count, (count, np.uint64(seed), np.float32(low), span, out))


@jit
def _uniform(i, count, seed, low, span, out):
    first, last = share(i, count, out.size)
    step = np.float64(span) * 2.0**-24
    for j in range(first, last, 4):
        words = _words(seed, np.uint64(j // 4))
        for k in range(min(4, last - j)):
            out[j + k] = np.float32(low + step * np.float64(words[k] >> np.uint64(8)))


@jit
def rng_gaussian(seed: int, mean: float, std: float, out: np.ndarray) -> None:
    """Fill `out` with values of the normal distribution (Box and Muller, 1958)."""
    count = share_count(WORK * out.size)
    arguments = count, np.uint64(seed), np.float32(mean), np.float32(std), out
    parallel_for(_gaussian, count, arguments)


@jit
def _gaussian(i, count, seed, mean, std, out):
    first, last = share(i, count, out.size)
    for j in range(first, last, 4):
        words = _words(seed, np.uint64(j // 4))
        for k in range(0, min(4, last - j), 2):
            length = math.sqrt(-2 * math.log(np.float64(words[k] + ONE) * 2.0**-32))
            angle = np.float64(words[k + 1]) * (2 * math.pi * 2.0**-32)
            out[j + k] = np.float32(mean + std * (length * math.cos(angle)))
            if j + k + 1 < last:
                out[j + k + 1] = np.float32(mean + std * (length * math.sin(angle)))
