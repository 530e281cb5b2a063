"""Random numbers against their definition, the published ones, and the moments they must have."""

import numpy as np
import pytest
from kernel_testing import (
    assert_same_bits_for_any_threads,
    assert_twins_agree,
    cases,
    cpu_only,
    gpu_only,
    run_kernel,
)

from caffe.kernels import cpu

KINDS = ("rng_uniform", "rng_gaussian")
SEED = 1234567890123456789


def drawn(kind, seed, first, second, size):
    (*_, values), _ = run_kernel(kind, seed, first, second, np.full(size, np.nan, np.float32))
    return values


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", cases([0, 1, 2, 3, 4, 5, 63], [30_001]))
@pytest.mark.parametrize("seed", [0, SEED, 2**63 - 1])
def test_against_the_definition(kind, size, seed):
    out = np.full(size, np.nan, np.float32)
    assert_twins_agree(kind, seed, -0.5, 2.25, out)


def test_the_words_are_those_of_philox():
    """The first words for counter 0 and key 0, as the generator's authors publish them."""
    values = drawn("rng_uniform", 0, 0, 1, 4)
    words = [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert (values * 2**24).tolist() == [word >> 8 for word in words]


@pytest.mark.parametrize("size", cases([400], [300_000]))
def test_moments(size):
    error = 4 / np.sqrt(size)  # four standard deviations of a mean
    uniform = drawn("rng_uniform", SEED, 0, 1, size).astype(np.float64)
    normal = drawn("rng_gaussian", SEED, 0, 1, size).astype(np.float64)
    for power in (1, 2, 3, 4):
        assert abs((uniform**power).mean() - 1 / (power + 1)) < error
    for power, moment, spread in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((normal**power).mean() - moment) < error * np.sqrt(spread)
    for values in (uniform - 0.5, normal):  # neighbours have nothing to do with each other
        for lag in (1, 2, 3, 4):
            assert abs((values[lag:] * values[:-lag]).mean()) < error


@pytest.mark.parametrize("kind", KINDS)
def test_other_seeds_give_other_values(kind):
    assert not np.isin(drawn(kind, 1, 0, 1, 60), drawn(kind, 2, 0, 1, 60)).any()


@gpu_only
def test_weights_are_those_that_the_cpu_draws():
    wanted = np.empty(50, np.float32)
    cpu.rng_uniform(SEED, -0.3, 0.7, wanted)
    np.testing.assert_array_equal(drawn("rng_uniform", SEED, -0.3, 0.7, 50), wanted)
    cpu.rng_gaussian(SEED, -0.3, 0.7, wanted)
    np.testing.assert_allclose(drawn("rng_gaussian", SEED, -0.3, 0.7, 50), wanted, rtol=1e-6)


@cpu_only
def test_same_bits_for_any_threads():
    def call():
        outputs = [np.empty(200_003, np.float32) for _ in KINDS]
        cpu.rng_uniform(SEED, -1, 2, outputs[0])
        cpu.rng_gaussian(SEED, -1, 2, outputs[1])
        return outputs

    assert_same_bits_for_any_threads(call)
