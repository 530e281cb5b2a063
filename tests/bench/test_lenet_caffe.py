"""bench.lenet_caffe: our side of the LeNet benchmark, on a hundred images."""

import time
from pathlib import Path

import numpy as np
import pytest

from bench.lenet_caffe import KernelClock, lenet_solver, operations
from caffe.kernels import cpu

ROOT = Path(__file__).parents[2]
DATABASE = ROOT / "tests" / "golden" / "data" / "mnist_100_lmdb"


@pytest.fixture
def folder(tmp_path):
    """The example, with a small database."""
    for name in ("lenet_solver.prototxt", "lenet_train_test.prototxt"):
        text = (ROOT / "examples" / "mnist" / name).read_text()
        text = text.replace("examples/mnist/mnist_train_lmdb", str(DATABASE))
        (tmp_path / name).write_text(text.replace("examples/mnist/", f"{tmp_path}/"))
    return tmp_path


def test_operations_of_an_iteration(folder):
    conv1, conv2 = 20 * 24 * 24 * 25, 50 * 8 * 8 * 500
    ip1, ip2 = 800 * 500, 500 * 10
    # conv1 needs no gradient of the images: two products, where the others have three.
    assert operations(folder) == 2 * 64 * (2 * conv1 + 3 * (conv2 + ip1 + ip2))


def test_the_solver_trains_alike_from_memory(folder):
    from_database, in_memory = lenet_solver(folder), lenet_solver(folder, in_memory=True)
    net = in_memory.net
    for name, blobs in from_database.net.params.items():
        for mine, its in zip(net.params[name], blobs, strict=True):
            mine.data[...] = its.data
    from_database.step(1)
    for name in ("data", "label"):
        net.blobs[name].data[...] = from_database.net.blobs[name].data
    in_memory.step(1)
    assert in_memory.loss == from_database.loss
    weight = net.params["conv2"][0].data
    np.testing.assert_array_equal(weight, from_database.net.params["conv2"][0].data)


def test_the_kernel_clock_counts_kernels_only(monkeypatch):
    for name in cpu.__all__:
        monkeypatch.setattr(cpu, name, getattr(cpu, name))  # to be undone
    monkeypatch.setattr(cpu, "fill", lambda value, x: time.sleep(value))
    clock = KernelClock()
    assert cpu.NO_BIAS.size == 0
    time.sleep(0.02)
    assert clock.seconds == 0
    cpu.fill(0.01, None)
    assert clock.seconds >= 0.01
