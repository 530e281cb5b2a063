"""Random numbers, by definition: numbered, so that each is computed by itself.

Words of 32 random bits are those of Philox4x32-10 (Salmon et al., "Parallel random numbers: as
easy as 1, 2, 3", 2011): ten rounds make four of them from a counter and a key. Here the key is the
seed, below 2^64, and the counter is the number of the four.
"""

import numpy as np

MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
STEPS = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)  # of the key, from round to round
ROUNDS = 10
LOW, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def _words(seed: int, count: int) -> np.ndarray:
    """The first `count` words, in float64."""
    number = np.arange(-(-count // 4), dtype=np.uint64)
    words = [number & LOW, number >> HALF, 0 * number, 0 * number]
    keys = [np.uint64(seed) & LOW, np.uint64(seed) >> HALF]
    for _ in range(ROUNDS):
        products = [word * factor for word, factor in zip(words[::2], MULTIPLIERS, strict=True)]
        words = [
            (products[1] >> HALF) ^ words[1] ^ keys[0],
            products[1] & LOW,
            (products[0] >> HALF) ^ words[3] ^ keys[1],
            products[0] & LOW,
        ]
        keys = [(key + step) & LOW for key, step in zip(keys, STEPS, strict=True)]
    return np.stack(words, axis=1).reshape(-1).astype(np.float64)


def rng_uniform(seed: int, low: float, high: float, out: np.ndarray) -> None:
    """out[i] = low + (high - low) u, with u the first 24 bits of words[i], / 2^24."""
    words = _words(seed, out.size)[: out.size]
    out[:] = low + (high - low) * (words // 2**8) / 2**24


def rng_gaussian(seed: int, mean: float, std: float, out: np.ndarray) -> None:
    """out[2i], out[2i + 1] = mean + std sqrt(-2 log u) (cos, sin)(2 pi v) (Box and Muller, 1958),
    with u = (words[2i] + 1) / 2^32 and v = words[2i + 1] / 2^32."""
    u, v = (_words(seed, out.size).reshape(-1, 2) / 2**32).T
    length, angle = np.sqrt(-2 * np.log(u + 2.0**-32)), 2 * np.pi * v
    pairs = np.stack([length * np.cos(angle), length * np.sin(angle)], axis=1)
    out[:] = mean + std * pairs.reshape(-1)[: out.size]
