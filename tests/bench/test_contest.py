"""bench.contest: processes that take turns."""

import pytest

from bench.contest import Contestant, ContestantFailed, calls, interleave

COUNTER = "tests.bench.counter"


def test_rounds_exclude_the_warm_up():
    contestants = {name: Contestant(1, COUNTER, "good") for name in ("a", "b")}
    assert interleave(contestants, rounds=3, times=7) == {"a": [1.0] * 3, "b": [1.0] * 3}
    assert contestants["a"].peak_memory() > 1
    for contestant in contestants.values():
        contestant.end()


def test_one_that_ends_too_soon_is_named():
    with pytest.raises(ContestantFailed, match=r"-m tests\.bench\.counter broken"):
        Contestant(1, COUNTER, "broken")


def test_calls():
    found = []
    calls(lambda: found.append(1))(3)
    assert found == [1, 1, 1]
