"""From typing the command to the first iteration: `caffe train` on the LeNet example."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.contest import ROOT, ContestantFailed

FIRST_LINE = "] Iteration 0 ("  # logged when the first iteration is done


def start_seconds(folder: Path, cold: bool = False) -> float:
    """Seconds until the example in `folder` has trained for one iteration, the test of the first
    weights on 10,000 images before it included; cold: with no compiled kernel on disk.

    Raises ContestantFailed, with the end of its log, where the command fails.
    """
    with tempfile.TemporaryDirectory() as cache:
        solver = f"--solver={folder}/lenet_solver.prototxt"
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "tools.caffe", "train", solver],
            cwd=ROOT,
            env=os.environ | ({"NUMBA_CACHE_DIR": cache} if cold else {}),
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None  # a pipe, as asked for
        last = ""
        for line in process.stderr:
            if FIRST_LINE in line:
                seconds = time.perf_counter() - started
                process.kill()
                process.communicate()
                return seconds
            last = line
        raise ContestantFailed(f"caffe train ended with {process.wait()}: {last.strip()}")
