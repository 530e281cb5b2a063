"""CUDA kernels are compiled once, and found again by other processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

if os.environ.get("NUMBA_ENABLE_CUDASIM", "0") != "0":
    pytest.skip("the simulator compiles nothing", allow_module_level=True)
pytest.importorskip("numba_cuda")

from caffe.kernels.cuda.kernel_cache import describe
from tests.cuda.cached import FUNCTIONS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(tmp_path):
    """Has kernels compiled in a process of its own: how many were found, how many compiled, and
    what was logged."""

    def run_script():
        done = subprocess.run(
            [sys.executable, "-m", "tests.cuda.cached"],
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return *map(int, done.stdout.split()), done.stderr

    return run_script


def test_another_process_finds_them(run, tmp_path):
    found, compiled, log = run()
    assert (found, compiled) == (0, len(FUNCTIONS))
    assert log.count("Compiling kernels for this GPU") == 1
    found, compiled, log = run()
    assert (found, compiled) == (len(FUNCTIONS), 0)
    assert not log
    for index in tmp_path.rglob("*.nbi"):
        index.write_bytes(index.read_bytes()[:50])
    found, compiled, log = run()
    assert (found, compiled) == (0, len(FUNCTIONS))
    assert "are damaged; compiling again" in log
    assert run()[:2] == (len(FUNCTIONS), 0)


def test_sizes_make_other_kernels():
    def make(size):
        def inner():
            return size

        def kernel():
            return inner()

        return kernel

    assert describe(make(3)) == describe(make(3))
    assert describe(make(3)) != describe(make(4))
    assert describe((1, 2.5, len)) == ("1", "2.5", "len")
