"""The tests of the other folders once more, with kernels and nets on the GPU: all their shapes.

Each file runs in a process of its own, several at a time: most of their time goes to compiling,
since each shape has kernels of its own.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from solver_testing import ROOT

FOLDERS = ("kernels", "layers", "net", "solver")
FILES = [
    str(path.relative_to(ROOT))
    for folder in FOLDERS
    for path in sorted((ROOT / "tests" / folder).glob("test_*.py"))
]
AT_ONCE = min(8, len(os.sched_getaffinity(0)))  # each has a context on the GPU


def run(file: str) -> subprocess.CompletedProcess:
    """All tests of a file."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", file, "-q", "--tb=short", "--show-capture=no"],
        cwd=ROOT,
        env=os.environ | {"CAFFE_TEST_TWIN": "cuda"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def runs(request):
    """The runs of all files that this session is to test, under way."""
    items = [item for item in request.session.items if item.module is request.module]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        files = [item.callspec.params["file"] for item in items]
        yield {file: pool.submit(run, file) for file in files}


@pytest.mark.parametrize("file", FILES)
def test_a_file_passes_on_the_gpu(runs, file):
    done = runs[file].result()
    assert done.returncode == 0, done.stdout[-10000:]
