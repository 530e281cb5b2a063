"""The process's random numbers."""

import numpy as np
import pytest

from caffe.errors import CaffeError
from caffe.io import rng


@pytest.fixture(autouse=True)
def _keep_the_generator():
    state = rng.get_state()
    yield
    rng.set_state(state)


@pytest.mark.parametrize("seed", [0, 1701, -1, 2**63 - 1])
def test_equal_seeds_give_equal_numbers(seed):
    rng.set_random_seed(seed)
    first = [rng.generator().random(), rng.fresh_seed()]
    rng.set_random_seed(seed)
    assert [rng.generator().random(), rng.fresh_seed()] == first
    rng.set_random_seed(seed + 1)
    assert [rng.generator().random(), rng.fresh_seed()] != first


def test_state_goes_on_exactly():
    rng.set_random_seed(1701)
    rng.generator().integers(10, dtype=np.uint32)  # leaves half a number for later
    state = rng.get_state()
    expected = rng.generator().integers(1 << 30, size=5, dtype=np.uint32)
    rng.set_random_seed(3)
    rng.set_state(state)
    np.testing.assert_array_equal(
        rng.generator().integers(1 << 30, size=5, dtype=np.uint32), expected
    )


def test_state_of_another_program():
    with pytest.raises(CaffeError, match="has 37 bytes, this one 3; was the solverstate"):
        rng.set_state(b"abc")


def test_seeds_fit_the_snapshot():
    assert all(0 <= rng.fresh_seed() < 2**63 for _ in range(100))


def test_numbered_generators_depend_on_their_three_numbers():
    def draw(*numbers):
        return rng.numbered_generator(*numbers).integers(1 << 60)

    assert draw(5, 0, 7) == draw(5, 0, 7)
    assert len({draw(5, 0, 7), draw(6, 0, 7), draw(5, 1, 7), draw(5, 0, 8)}) == 4
