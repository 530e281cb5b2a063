"""The tests of the other folders once more, with kernels and nets on the GPU: all their shapes."""

import os
import subprocess
import sys

import pytest
from solver_testing import ROOT


@pytest.mark.parametrize("folder", ["kernels", "layers", "net", "solver"])
def test_they_pass_on_the_gpu(folder):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", f"tests/{folder}", "-q", "--tb=short"],
        cwd=ROOT,
        env=os.environ | {"CAFFE_TEST_TWIN": "cuda"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-20000:]
