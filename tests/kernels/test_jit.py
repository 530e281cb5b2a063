"""The jit decorator: where machine code is cached, and what the user is told."""

import os
import subprocess
import sys
import textwrap

import pytest
from kernel_testing import cpu_only
from numba.core.event import Listener, install_listener

from caffe.kernels.cache_folder import source_hash
from caffe.kernels.cpu.jit import jit

pytestmark = cpu_only

SCRIPT = textwrap.dedent(
    """
    import os
    import resource
    import numba
    import numpy as np
    from caffe.glog import install
    install()
    if "DISK_IS_FULL" in os.environ:  # any longer file is an error, for root as well
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    from caffe.kernels.cache_folder import cache_folder
    from caffe.kernels.cpu.jit import SOURCES, jit
    from caffe.kernels.cpu.parallel import parallel_for

    @numba.njit
    def not_ours(x):
        return x + 2

    @jit
    def one_more(i, x):
        x[i] += 1

    @jit
    def count_up(x):
        parallel_for(one_more, x.size, (x,))

    not_ours(1)
    x = np.zeros(4, np.float32)
    count_up(x)
    assert (x == 1).all()
    print(cache_folder(SOURCES))
    print(repr(numba.config.CACHE_DIR))
    """
)


@pytest.fixture
def run(tmp_path):
    """Runs the script in a process of its own; returns what it printed and logged."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)

    def run_script(**environment):
        kept = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
        done = subprocess.run(
            [sys.executable, script], env=kept | environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines(), done.stderr

    return run_script


def test_the_first_run_compiles_and_says_so_once(run, tmp_path):
    (folder, users_folder), log = run(XDG_CACHE_HOME=str(tmp_path))
    assert folder.startswith(str(tmp_path / "numba-caffe"))
    assert users_folder == "''"  # Numba's own setting is as it was
    assert log.count("Compiling kernels for this machine") == 1
    assert folder in log
    assert list((tmp_path / "numba-caffe").rglob("*count_up*.nbc"))
    assert not list(tmp_path.rglob("*not_ours*.nbc"))

    (again, _), log = run(XDG_CACHE_HOME=str(tmp_path))
    assert again == folder
    assert log == ""


def test_numba_cache_dir_is_heeded(run, tmp_path):
    (folder, users_folder), _ = run(NUMBA_CACHE_DIR=str(tmp_path / "mine"))
    assert folder.startswith(str(tmp_path / "mine"))
    assert users_folder == repr(str(tmp_path / "mine"))


def test_damaged_files_are_one_warning(run, tmp_path):
    run(NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    files = sorted((tmp_path / "cache").rglob("*.nb?"))
    assert {path.suffix for path in files} == {".nbi", ".nbc"}
    for path in files:
        path.write_bytes(path.read_bytes()[:-1000])
    _, log = run(NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert log.count("damaged; compiling again") == 1
    assert log.count("Compiling kernels for this machine") == 1
    _, log = run(NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert log == ""


def test_a_full_disk_is_one_warning(run, tmp_path):
    for _ in range(2):
        (folder, _), log = run(NUMBA_CACHE_DIR=str(tmp_path / "cache"), DISK_IS_FULL="1")
        assert log.count("Cannot keep compiled kernels") == 1
        assert folder in log
        assert "damaged" not in log
    assert not list((tmp_path / "cache").rglob("*.nb*"))  # nor remains of a temporary file


def test_a_home_that_cannot_be_written(run, tmp_path):
    occupied, temporary = tmp_path / "file", tmp_path / "temporary"
    occupied.write_text("not a folder")
    temporary.mkdir()
    (folder, _), log = run(XDG_CACHE_HOME=str(occupied), TMPDIR=str(temporary))
    assert folder.startswith(str(temporary))
    assert log.count("Cannot write to") == 1
    (again, _), log = run(XDG_CACHE_HOME=str(occupied), TMPDIR=str(temporary))
    assert again == folder
    assert "Compiling" not in log


def test_a_temporary_folder_that_others_can_write_is_not_trusted(run, tmp_path):
    occupied = tmp_path / "file"
    occupied.write_text("not a folder")
    shared = tmp_path / f"numba-caffe-{os.getuid()}"
    shared.mkdir()
    shared.chmod(0o777)
    (folder, _), log = run(XDG_CACHE_HOME=str(occupied), TMPDIR=str(tmp_path))
    assert folder == "None"
    assert "compiled anew in each run" in log


class Compilations(Listener):
    """The names of the functions that Numba compiles."""

    def __init__(self):
        self.names = []

    def on_start(self, event):
        self.names.append(event.data["dispatcher"].py_func.__name__)

    def on_end(self, event):
        pass


def test_a_function_is_compiled_once_for_all_callers_and_constants():
    @jit
    def scaled(x, factor):
        return x * factor

    @jit
    def sum_of_two(x):
        return scaled(x, 1) + scaled(factor=2, x=x)

    @jit
    def sum_of_three(x, y):
        return sum_of_two(x) + scaled(x, y)

    with install_listener("numba:compile", Compilations()) as compiled:
        assert sum_of_three(10, 3) == 60
    assert sorted(compiled.names) == ["scaled", "sum_of_three", "sum_of_two"]
    assert scaled(10, 3) == 30  # and once more for Python


def test_an_edited_source_changes_the_folder(tmp_path):
    (tmp_path / "gemm.py").write_text("a")
    before = source_hash(tmp_path)
    assert source_hash(tmp_path) == before
    (tmp_path / "gemm.py").write_text("b")
    assert source_hash(tmp_path) != before
