"""The cache of machine code: damaged files are found and replaced, a full disk is survived."""

import errno

import pytest
from kernel_testing import cpu_only

from caffe.kernels import cache
from caffe.kernels.cpu import jit as module

pytestmark = cpu_only


def one_more(x):
    return x + 1


@pytest.fixture
def new_run(monkeypatch, tmp_path):
    """Makes the kernel as a new run would, which knows no machine code yet."""
    monkeypatch.setattr(module, "cache_folder", lambda _: tmp_path)

    def make_kernel():
        monkeypatch.setattr(cache, "_warned", set())
        return module.jit(one_more)

    return make_kernel


def flipped(content: bytes, where: float) -> bytes:
    changed = bytearray(content)
    changed[int(where * (len(content) - 1))] ^= 4
    return bytes(changed)


DAMAGES = {
    "emptied": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "zeros": lambda content: bytes(len(content)),
    "first bit": lambda content: flipped(content, 0),
    "middle bit": lambda content: flipped(content, 0.5),
    "last bit": lambda content: flipped(content, 1),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_a_damaged_file_is_made_anew(new_run, tmp_path, caffe_log, suffix, damage):
    assert new_run()(1) == 2
    (path,) = tmp_path.rglob(f"*.{suffix}")
    whole = path.read_bytes()
    path.write_bytes(damage(whole))

    kernel = new_run()
    assert kernel(1) == 2
    assert kernel(0.5) == 1.5
    assert not kernel.stats.cache_hits
    assert caffe_log.text.count("damaged; compiling again") == 1
    assert str(tmp_path) in caffe_log.text

    caffe_log.clear()
    kernel = new_run()
    assert kernel(1) == 2
    assert kernel(0.5) == 1.5
    assert sum(kernel.stats.cache_hits.values()) == 2
    assert caffe_log.text == ""


def test_a_missing_data_file_is_made_anew(new_run, tmp_path, caffe_log):
    assert new_run()(1) == 2
    (path,) = tmp_path.rglob("*.nbc")
    path.unlink()
    assert new_run()(1) == 2
    assert path.exists()
    assert "damaged" not in caffe_log.text


@pytest.mark.parametrize("fails", ["_save_index", "_save_data"])
def test_a_full_disk_is_one_warning(new_run, monkeypatch, tmp_path, caffe_log, fails):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    kernel = new_run()
    with monkeypatch.context() as disk:
        disk.setattr(cache._Files, fails, full)
        assert kernel(1) == 2
        assert kernel(0.5) == 1.5
    assert caffe_log.text.count("Cannot keep compiled kernels in") == 1
    assert str(tmp_path) in caffe_log.text
    assert "No space left on device" in caffe_log.text

    caffe_log.clear()
    assert new_run()(1) == 2
    assert "damaged" not in caffe_log.text


def test_processes_that_save_at_once(tmp_path, monkeypatch):
    """One has looked which files there are, the other saves, and then the first does."""
    first, second = (cache._Files(str(tmp_path), "kernel", 0) for _ in range(2))
    save_data = first._save_data

    def save_data_after_the_other(name, data):
        with monkeypatch.context() as patched:
            patched.setattr(second, "_load_index", dict)
            second.save("two", 2)
        save_data(name, data)

    monkeypatch.setattr(first, "_save_data", save_data_after_the_other)
    first.save("one", 1)
    assert first.load("one") in (1, None)
    assert first.load("two") in (2, None)
    second.save("one", 1)
    assert (first.load("one"), first.load("two")) == (1, 2)
