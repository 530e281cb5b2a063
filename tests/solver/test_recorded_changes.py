"""What a recording depends on changes between iterations: it must not be repeated as it was."""

import numpy as np
import pytest
from kernel_testing import gpu_only
from recorded_testing import assert_alike, is_recorded, two_solvers
from solver_testing import DATA_NET, INPUT_NET, write_database

from caffe.io.lmdb_writer import LmdbWriter
from caffe.proto import caffe_pb2

pytestmark = gpu_only

SIZES = """
layer { name: "data" type: "Data" top: "data" top: "label" transform_param { scale: 0.01 }
  data_param { source: "FOLDER/train" batch_size: 1 backend: LMDB } }
layer { name: "pool" type: "Pooling" bottom: "data" top: "pool"
  pooling_param { pool: AVE global_pooling: true } }
layer { name: "ip" type: "InnerProduct" bottom: "pool" top: "ip"
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""
TWO_SOURCES = """
layer { name: "a" type: "Data" top: "a" top: "la" transform_param { scale: 0.01 }
  data_param { source: "FOLDER/train" batch_size: 4 backend: LMDB } }
layer { name: "b" type: "Data" top: "b" top: "lb" transform_param { scale: 0.01 mirror: true }
  data_param { source: "FOLDER/train" batch_size: 4 backend: LMDB } }
layer { name: "ip_a" type: "InnerProduct" bottom: "a" top: "ip_a"
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "ip_b" type: "InnerProduct" bottom: "b" top: "ip_b"
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "loss_a" type: "SoftmaxWithLoss" bottom: "ip_a" bottom: "la" top: "loss_a" }
layer { name: "loss_b" type: "SoftmaxWithLoss" bottom: "ip_b" bottom: "lb" top: "loss_b" }
"""
NO_PARAMETERS = """
layer { name: "data" type: "Input" top: "data" top: "label"
  input_param { shape { dim: 2 dim: 3 } shape { dim: 2 } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "data" bottom: "label" top: "loss" }
"""


def step_both(solvers, iterations):
    for solver in solvers:
        solver.step(iterations)


def test_images_of_other_sizes(tmp_path):
    rng = np.random.default_rng(0)
    with LmdbWriter(str(tmp_path / "train")) as database:
        for index in range(10):
            side = 4 if index < 5 else 6
            record = caffe_pb2.Datum(channels=1, height=side, width=side, label=index % 3)
            record.data = rng.integers(0, 256, side * side, np.uint8).tobytes()
            database.put(b"%08d" % index, record.SerializeToString())
    solvers = two_solvers(tmp_path, net=SIZES)
    for _ in range(10):
        step_both(solvers, 1)
        assert_alike(*solvers)
    assert is_recorded(solvers[0])


def test_memory_that_was_replaced(tmp_path):
    """A blob that had to grow has the old shape again, but another memory."""
    solvers = two_solvers(tmp_path, net=INPUT_NET)
    rng = np.random.default_rng(5)
    values, labels = rng.normal(size=(6, 4)), rng.integers(0, 3, 6)
    for solver in solvers:
        data, label = solver.net.blobs["data"], solver.net.blobs["label"]
        data.data[...], label.data[...] = values, labels
        solver.step(4)
        for num in (20, 6):
            data.reshape(num, 4)
            label.reshape(num)
            solver.net.reshape()
        data.data[...], label.data[...] = values[::-1], labels
        solver.step(2)
    assert_alike(*solvers)


@pytest.mark.parametrize("passes", [["forward", "backward"], ["forward"]])
def test_plain_passes_in_between(tmp_path, passes):
    """The gradient that a convolution and its pooling leave out is that of the last backward."""
    write_database(tmp_path / "train", 20, 1)
    write_database(tmp_path / "test", 9, 2)
    solvers = two_solvers(tmp_path)
    for solver in solvers:
        solver.step(3)
        for name in passes:
            getattr(solver.net, name)()
        solver.step(1)
    assert is_recorded(solvers[0])
    for solver in solvers:
        solver.net.clear_param_diffs()
        solver.net.backward()
    for name in ("conv", "ip1"):
        diffs = [solver.net.params[name][0].diff for solver in solvers]
        np.testing.assert_allclose(*diffs, rtol=1e-4, atol=1e-6)
    step_both(solvers, 1)
    diffs = [solver.net.blobs["conv"].diff for solver in solvers]
    np.testing.assert_allclose(*diffs, rtol=1e-4, atol=1e-6)
    assert_alike(*solvers)


def test_data_on_the_gpu_and_from_the_host(tmp_path):
    write_database(tmp_path / "train", 20, 1)
    solvers = two_solvers(tmp_path, "test_iter: 3 test_interval: 100 ", TWO_SOURCES)
    found = []
    for solver in solvers:
        solver.test(0)
        passes = solver._test_passes[0]
        found.append([passes.run(lambda: False)[1] for _ in range(2)])
    np.testing.assert_allclose(*found, rtol=1e-4)


def test_several_passes_over_batches_from_the_host(tmp_path):
    write_database(tmp_path / "train", 20, 1)
    write_database(tmp_path / "test", 9, 2)
    solvers = two_solvers(tmp_path, "iter_size: 2 ", DATA_NET)
    step_both(solvers, 2)
    assert_alike(*solvers)


def test_a_net_without_parameters(tmp_path):
    solvers = two_solvers(tmp_path, net=NO_PARAMETERS)
    step_both(solvers, 4)
    assert_alike(*solvers)
