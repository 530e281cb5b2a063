"""--gpu, solver_mode and device_query."""

import pytest
from kernel_testing import gpu_only

import caffe
from caffe.errors import CaffeError
from caffe.kernels import twins
from caffe.proto import caffe_pb2
from caffe.tools.devices import choose_device, query_devices

GPU_SOLVER = caffe_pb2.SolverParameter(solver_mode=caffe_pb2.SolverParameter.GPU)


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(twins, "why_no_gpu", lambda: "no NVIDIA GPU is found")


@pytest.fixture
def one_gpu():
    """Puts back the twin that was chosen."""
    before = twins.current()
    yield
    twins._current = before


@pytest.mark.usefixtures("no_gpu")
def test_without_a_gpu(caffe_log) -> None:
    choose_device("", GPU_SOLVER)
    warning, choice = caffe_log.messages
    assert warning == "solver_mode: GPU, but no NVIDIA GPU is found. Training on the CPU"
    assert choice == "Use CPU."
    for gpu in ("0", "all", "nonsense"):
        with pytest.raises(CaffeError, match=f"^--gpu={gpu}: no NVIDIA GPU is found"):
            choose_device(gpu)
    for ask in (caffe.set_mode_gpu, lambda: caffe.set_device(0)):
        with pytest.raises(CaffeError, match="no NVIDIA GPU is found"):
            ask()
    caffe_log.clear()
    query_devices("all")
    assert caffe_log.messages == ["No CUDA device: no NVIDIA GPU is found"]


def test_why_there_is_no_gpu() -> None:
    why = twins.why_no_gpu()
    assert not why or "numba-caffe[cuda]" in why or "nvidia-smi" in why


@gpu_only
@pytest.mark.usefixtures("one_gpu")
def test_with_a_gpu(caffe_log) -> None:
    for gpu, solver in (("0", None), ("all", None), ("", GPU_SOLVER)):
        caffe.set_mode_cpu()
        caffe_log.clear()
        choose_device(gpu, solver)
        assert twins.current() is not twins.cpu
        assert "Use GPU with device ID 0" in caffe_log.messages
    choose_device("", caffe_pb2.SolverParameter(solver_mode=caffe_pb2.SolverParameter.CPU))
    assert twins.current() is twins.cpu
    for gpu, words in (("0,1", "several GPUs"), ("one", "the number of one GPU"), ("99", "no GPU")):
        with pytest.raises(CaffeError, match=words):
            choose_device(gpu)


@gpu_only
def test_device_query(caffe_log) -> None:
    query_devices("")
    assert caffe_log.messages[0].startswith("Querying GPUs 0")
    assert any(line.startswith("Major revision number:") for line in caffe_log.messages)
