"""Training and testing that the GPU runs by itself: the same numbers as pass by pass on the CPU."""

import os
import re

import numpy as np
import pytest
from google.protobuf import text_format
from kernel_testing import gpu_only
from recorded_testing import (
    CONVOLUTIONAL,
    TRAINING,
    assert_alike,
    is_recorded,
    two_solvers,
)
from solver_testing import DATA_NET, parameters, solver_param, write_database

from caffe.errors import CaffeError
from caffe.io.lmdb_writer import LmdbWriter
from caffe.proto import caffe_pb2
from caffe.solver import get_solver

pytestmark = gpu_only

TESTS = "test_iter: 2 test_interval: 3 "


@pytest.fixture
def databases(tmp_path):
    write_database(tmp_path / "train", 20, 1)
    write_database(tmp_path / "test", 9, 2)
    return tmp_path


@pytest.mark.parametrize("net", [CONVOLUTIONAL, DATA_NET], ids=["resident", "streamed"])
def test_iterations_are_those_of_the_cpu(databases, net):
    solvers = two_solvers(databases, net=net)
    for solver in solvers:
        solver.step(4)
    assert is_recorded(solvers[0])
    assert_alike(*solvers)
    np.testing.assert_allclose(
        *[solver.net.blobs["ip2"].data for solver in solvers], rtol=1e-4, atol=1e-5
    )


def test_tests_displays_and_the_mean_loss(databases, caffe_log):
    lines = []
    for solver in two_solvers(databases, TESTS + "display: 2 average_loss: 3 max_iter: 5 "):
        caffe_log.clear()
        solver.solve()
        numbers = re.compile(r" \(\S+ iter/s.*? iters\)")
        lines.append([numbers.sub("", line) for line in caffe_log.messages])
    ours, wanted = (
        [line for line in some if "GPU" not in line and "Restarting" not in line] for some in lines
    )
    assert len(ours) == len(wanted)
    for our_line, line in zip(ours, wanted, strict=True):
        words = zip(our_line.split(), line.split(), strict=True)
        for our_word, word in words:
            if our_word != word:
                assert float(our_word) == pytest.approx(float(word), rel=1e-3)
    assert any("Test net output" in line for line in ours)


def test_several_passes_an_iteration(databases):
    solvers = two_solvers(databases, "iter_size: 2 ")
    for solver in solvers:
        solver.step(3)
    assert is_recorded(solvers[0])
    assert_alike(*solvers)


@pytest.mark.parametrize("text", ["clip_gradients: 0.5 ", "debug_info: true display: 1 "])
def test_what_is_not_recorded(databases, text):
    solvers = two_solvers(databases, text)
    for solver in solvers:
        solver.step(2)
    assert not is_recorded(solvers[0])
    assert_alike(*solvers)


def test_callbacks(databases):
    solvers = two_solvers(databases)
    for solver in solvers:
        solver.step(2)
        solver.add_callback(lambda: None, lambda s=solver: s.net.params["ip2"][1].diff.fill(0))
        solver.step(2)
    assert_alike(*solvers)


def test_what_the_user_writes_is_used(databases):
    solvers = two_solvers(databases)
    for solver in solvers:
        solver.step(3)
        solver.net.params["ip2"][0].data[...] *= 0.5
        solver.step(2)
    assert_alike(*solvers)


def test_a_gradient_that_is_read_is_right_from_then_on(databases):
    solvers = two_solvers(databases)
    for _ in range(2):
        for solver in solvers:
            solver.step(3)
        diffs = [solver.net.blobs["conv"].diff for solver in solvers]
        np.testing.assert_allclose(*diffs, rtol=1e-4, atol=1e-6)
    assert_alike(*solvers)


def test_resuming_is_exact(databases):
    text = f'snapshot_prefix: "{databases}/snap" '
    solver, _ = two_solvers(databases, text)
    solver.step(2)
    solver.snapshot()
    solver.step(2)
    resumed, _ = two_solvers(databases, text)
    resumed.restore(os.fspath(databases / "snap_iter_2.solverstate"))
    resumed.step(2)
    for ours, wanted in zip(parameters(resumed), parameters(solver), strict=True):
        np.testing.assert_array_equal(ours, wanted)


def test_a_bad_label_is_named_and_changes_nothing(databases):
    """The host looks after five iterations; the third has the bad label."""
    record = caffe_pb2.Datum(channels=1, height=6, width=6, label=7, data=bytes(36))
    with LmdbWriter(str(databases / "bad")) as database:
        for index in range(40):
            record.label = 7 if index == 20 else index % 3
            database.put(b"%08d" % index, record.SerializeToString())
    net = CONVOLUTIONAL.replace("FOLDER/train", "FOLDER/bad")
    on_gpu, on_cpu = two_solvers(databases, net=net)
    on_cpu.step(2)
    with pytest.raises(CaffeError, match=r"label 7 is outside 0\.\.2.*record '00000020'"):
        on_gpu.step(5)
    assert on_gpu.iter == 2
    assert_alike(on_gpu, on_cpu)


def test_a_loss_that_is_not_finite_stops_the_training(databases):
    on_gpu, _ = two_solvers(databases, "base_lr: 1e30 ")
    with pytest.raises(
        CaffeError, match=r"Iteration \d: the loss is (nan|inf).*layer '(conv|ip1)'"
    ):
        on_gpu.step(6)


def test_a_bad_label_in_a_test(databases):
    net = text_format.Parse(CONVOLUTIONAL, caffe_pb2.NetParameter())
    net.layer[-3].inner_product_param.num_output = 2
    text = text_format.MessageToString(net)
    solver = get_solver(
        solver_param(
            TRAINING + "test_iter: 2 test_interval: 9 ", text.replace("FOLDER", str(databases))
        )
    )
    with pytest.raises(CaffeError, match=r"label 2 is outside 0\.\.1.*record"):
        solver.test_all()
