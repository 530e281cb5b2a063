"""The commands on a machine with a GPU."""

from numba import cuda
from solver_testing import run_caffe


def test_the_properties_of_a_gpu():
    code, _, log = run_caffe("device_query", "--gpu=0")
    assert code == 0, log
    device = cuda.gpus[0]
    assert f"{'Name:':31}{device.name}\n" in log
    assert f"{'Number of multiprocessors:':31}{device.MULTIPROCESSOR_COUNT}\n" in log


def test_a_gpu_that_is_not_there():
    code, _, log = run_caffe("device_query", "--gpu=99")
    assert code == 1
    assert "there is no GPU 99: this machine has " in log
