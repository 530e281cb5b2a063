"""LeNet on the GPU: Caffe's first losses, the tutorial's accuracy, the same bits each time."""

import re

import numpy as np
import pytest
import test_lenet_trajectory
from net_testing import lenet_text
from solver_testing import ROOT, parameters, run_caffe

from caffe.proto.upgrade import read_solver_param
from caffe.solver import get_solver
from caffe.tools.create_mnist import main as create_mnist

ACCURACY = r"Iteration 10000, Testing net \(#0\)\n.*\] +Test net output #0: accuracy = (\S+)"


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """The path of the tutorial's solver, in a folder with its net and databases."""
    folder = tmp_path_factory.mktemp("example")
    assert create_mnist([f"--output={folder}"]) == 0
    for name in ("lenet_solver.prototxt", "lenet_train_test.prototxt"):
        text = (ROOT / "examples" / "mnist" / name).read_text()
        (folder / name).write_text(text.replace("examples/mnist/", f"{folder}/"))
    return str(folder / "lenet_solver.prototxt")


@pytest.fixture
def replays(monkeypatch):
    """A list that grows with every repetition of a recording."""
    from caffe.kernels.cuda import Recording

    replay, found = Recording.replay, []

    def counted(recording):
        found.append(recording)
        replay(recording)

    monkeypatch.setattr(Recording, "replay", counted)
    return found


def test_the_first_losses_are_caffes(tmp_path, monkeypatch, replays):
    def solver_without_recording(param):
        solver = get_solver(param)
        solver.add_callback(lambda: None, lambda: None)
        return solver

    for folder in ("recorded", "launched"):
        (tmp_path / folder).mkdir()
    recorded, expected = test_lenet_trajectory.first_losses(tmp_path / "recorded", lenet_text())
    assert len(replays) == len(expected) - 2  # the first iterations are launched
    replays.clear()
    monkeypatch.setattr(test_lenet_trajectory, "get_solver", solver_without_recording)
    launched, _ = test_lenet_trajectory.first_losses(tmp_path / "launched", lenet_text())
    assert not replays
    np.testing.assert_allclose(recorded, launched, rtol=1e-6)
    np.testing.assert_allclose(recorded, expected, rtol=1e-3)


def test_the_tutorial_reaches_its_accuracy(example):
    code, _, log = run_caffe("train", f"--solver={example}")
    assert code == 0, log[-5000:]
    assert "Use GPU with device ID 0" in log
    [accuracy] = re.findall(ACCURACY, log)
    assert float(accuracy) >= 0.990


def test_the_weights_are_the_same_bits_each_time(example):
    weights = []
    for _ in range(2):
        param = read_solver_param(example)
        param.test_interval = param.snapshot = 0
        solver = get_solver(param)
        solver.step(400)
        weights.append([values.tobytes() for values in parameters(solver)])
    assert weights[0] == weights[1]
