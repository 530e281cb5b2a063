"""Random numbers: uniform and normal ones, for fillers. One thread makes four of them.

They are computed from the seed and their number by Philox4x32-10 (Salmon et al., "Parallel random
numbers: as easy as 1, 2, 3", 2011), as on the CPU: equal seeds give the weights that they give
there. For that the rest is in float64, in which the products are exact; only the last bits of
normal ones may differ, since logarithms and cosines do. `out` is flat float32.
"""

import math
from typing import Any

import numpy as np
from numba import cuda

from .launch import SIMULATED, device, kernel, launch_each

if SIMULATED:

    def _cos_pi(x: Any) -> Any:
        return math.cos(math.pi * x)

    def _sin_pi(x: Any) -> Any:
        return math.sin(math.pi * x)

else:  # unlike math's they need no memory for the remainders of very large angles
    from numba.cuda import libdevice

    _cos_pi, _sin_pi = libdevice.cospi, libdevice.sinpi

LOW, HALF, ONE = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(1)
FACTOR_0, FACTOR_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
STEP_0, STEP_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)  # of the key, from round to round
ROUNDS = 10


@device
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


@kernel
def _uniform(seed, low, span, out):
    number = cuda.grid(1)
    step = np.float64(span) * 2.0**-24
    i = 4 * number
    for word in _words(seed, np.uint64(number)):
        if i < out.size:
            out[i] = np.float32(low + step * np.float64(word >> np.uint64(8)))
        i += 1


@device
def _write_pair(first, second, mean, std, out, i):
    """Two normal values, of two words (Box and Muller, 1958), to out[i] and out[i + 1]."""
    length = math.sqrt(-2 * math.log(np.float64(first + ONE) * 2.0**-32))
    half_turns = np.float64(second) * 2.0**-31
    if i < out.size:
        out[i] = np.float32(mean + std * (length * _cos_pi(half_turns)))
    if i + 1 < out.size:
        out[i + 1] = np.float32(mean + std * (length * _sin_pi(half_turns)))


@kernel
def _gaussian(seed, mean, std, out):
    number = cuda.grid(1)
    a, b, c, d = _words(seed, np.uint64(number))
    _write_pair(a, b, mean, std, out, 4 * number)
    _write_pair(c, d, mean, std, out, 4 * number + 2)


def rng_uniform(seed: int, low: float, high: float, out: Any) -> None:
    """Fill `out` with values that are uniform from `low` to `high`."""
    arguments = np.uint64(seed), np.float32(low), np.float32(high - low), out
    launch_each(_uniform, -(-out.size // 4), *arguments)


def rng_gaussian(seed: int, mean: float, std: float, out: Any) -> None:
    """Fill `out` with values of the normal distribution (Box and Muller, 1958)."""
    arguments = np.uint64(seed), np.float32(mean), np.float32(std), out
    launch_each(_gaussian, -(-out.size // 4), *arguments)
