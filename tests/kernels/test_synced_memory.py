"""Memory on the host and the GPU: whoever asks gets the newest values."""

import numpy as np
import pytest
from kernel_testing import gpu_only

from caffe.kernels.synced_memory import ALIGNMENT, Arena, SyncedArray, SyncedMemory
from caffe.layers.blob import Blob


def test_the_host_alone():
    memory = SyncedMemory(5, np.int32)
    assert memory.host().tolist() == [0] * 5
    assert memory.host().dtype == np.int32
    assert memory.host().ctypes.data % ALIGNMENT == 0
    assert memory.host() is memory.host()
    assert SyncedArray((2, 3)).host().shape == (2, 3)


def test_an_arena_is_one_memory():
    arena = Arena([3, 5, 4], segment=4)
    for value, part in enumerate(arena.parts, 1):
        part.host()[:] = value
    assert arena.size == 16
    assert arena.host().tolist() == [1, 1, 1, 0, 2, 2, 2, 2, 2, 0, 0, 0, 3, 3, 3, 3]


@gpu_only
def test_values_go_there_and_back():
    memory = SyncedMemory(4)
    held = memory.host()
    held[:] = [1, 2, 3, 4]
    device = memory.device()
    assert memory.on_device
    assert device.copy_to_host().tolist() == [1, 2, 3, 4]
    device.copy_to_device(np.array([5, 6, 7, 8], np.float32))
    assert memory.host() is held
    assert held.tolist() == [5, 6, 7, 8]
    assert not memory.on_device


@gpu_only
def test_what_the_host_took_returns():
    kept, taken = SyncedMemory(2), SyncedMemory(2)
    for memory in (kept, taken):
        memory.device()
    taken.host()[:] = 3
    SyncedMemory.return_to_device()
    assert kept.on_device
    assert taken.on_device
    assert taken._device.copy_to_host().tolist() == [3, 3]


@gpu_only
def test_zeros_at_first():
    assert SyncedMemory(3).device().copy_to_host().tolist() == [0, 0, 0]
    assert SyncedMemory(0).device().size == 0


@gpu_only
def test_the_parts_of_an_arena_on_the_gpu():
    arena = Arena([3, 2], segment=4)
    first, second = arena.parts
    first.host()[:] = 1
    second.device().copy_to_device(np.array([5, 6], np.float32))
    assert arena.device().copy_to_host().tolist() == [1, 1, 1, 0, 5, 6, 0, 0]
    assert second.host().tolist() == [5, 6]
    second.host()[:] = 7
    assert arena.device().copy_to_host().tolist() == [1, 1, 1, 0, 7, 7, 0, 0]


@gpu_only
@pytest.mark.parametrize("name", ["data", "diff"])
def test_a_blob_on_the_gpu(name):
    blob = Blob(2, 3)
    on_device = getattr(blob, f"device_{name}_as")
    getattr(blob, name)[...] = 2
    assert on_device((3, 2)).copy_to_host().tolist() == [[2, 2]] * 3
    on_device(-1).copy_to_device(np.arange(6, dtype=np.float32))
    assert getattr(blob, name).tolist() == [[0, 1, 2], [3, 4, 5]]
    getattr(blob, name)[0, 0] = 9
    assert on_device(-1).copy_to_host()[0] == 9
    other = Blob(6)
    getattr(other, f"share_{name}")(blob)
    assert getattr(other, name)[0] == 9


@gpu_only
def test_a_full_gpu(monkeypatch):
    from caffe.kernels.cuda import launch

    def full(shape, dtype):
        error = launch.CudaAPIError(launch.OUT_OF_MEMORY, "out of memory")
        error.code = launch.OUT_OF_MEMORY  # the simulator's error has none
        raise error

    memory = SyncedMemory(2**20)
    with monkeypatch.context() as patched:
        patched.setattr(launch.cuda, "device_array", full)
        with pytest.raises(MemoryError, match="4 MiB are needed; use a smaller batch_size"):
            memory.device()
    assert memory.device().size == 2**20
