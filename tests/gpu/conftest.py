"""What the tests of this folder share: without a GPU they are skipped, with one they use it."""

import functools

import pytest

from caffe.kernels import cpu, twins


@functools.cache
def why_not() -> str:
    """Why these tests cannot be run."""
    return twins.why_no_gpu() or ("the GPU is simulated" if twins.is_simulated() else "")


def pytest_runtest_setup(item):
    """Skip the test, in one line for all of them, where there is no GPU."""
    if why_not():
        pytest.skip(why_not())


@pytest.fixture(autouse=True)
def _on_gpu():
    before = twins.current()
    twins.use_gpu()
    yield
    if before is cpu:
        twins.use_cpu()
