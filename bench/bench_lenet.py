"""One training iteration of LeNet (batch 64): forward, backward and update, on data in memory.

    make bench        or: python -m pytest bench -o python_files='bench_*.py' --benchmark-enable

The first losses are checked against Caffe's record before anything is timed.
"""

import json
import sys
from pathlib import Path

import numpy as np

from caffe.proto import caffe_pb2
from caffe.solver import get_solver

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "net"))
from net_testing import GOLDEN, lenet_text, mnist  # noqa: E402


def test_lenet_iteration(benchmark) -> None:
    from google.protobuf import text_format

    param = caffe_pb2.SolverParameter(
        base_lr=0.01, momentum=0.9, weight_decay=0.0005, lr_policy="inv", gamma=0.0001, power=0.75,
        max_iter=10**9, solver_mode="CPU", snapshot_after_train=False,
    )  # fmt: skip
    text_format.Parse(lenet_text(), param.net_param)
    solver = get_solver(param)
    solver.net.copy_from(GOLDEN / "lenet" / "lenet_init.caffemodel")
    images, labels = mnist("train", 64)
    solver.net.blobs["data"].data[...] = images * np.float32(0.00390625)
    solver.net.blobs["label"].data[...] = labels
    solver.step(1)
    record = json.loads((GOLDEN / "lenet" / "trajectory.json").read_text())
    wanted = record["first_40_losses_from_lenet_init"][0]
    np.testing.assert_allclose(solver.net.blobs["loss"].data, wanted, rtol=1e-4)
    benchmark(solver.step, 1)
