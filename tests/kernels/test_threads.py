"""Which library runs the threads, what is said where the good ones are missing, and forks."""

import os
import subprocess
import sys
import textwrap

import pytest
from kernel_testing import cpu_only
from solver_testing import make_solver

from caffe import CaffeError
from caffe.kernels import threads

pytestmark = cpu_only


@pytest.fixture
def run(tmp_path):
    """Runs a script in a process of its own; returns what it printed and logged."""

    def run_script(script, **environment):
        path = tmp_path / "script.py"
        path.write_text(textwrap.dedent(script))
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("NUMBA_THREADING_LAYER", "GOMP_", "OMP_"))
        }
        done = subprocess.run(
            [sys.executable, path],
            env=kept | {"NUMBA_CACHE_DIR": str(tmp_path)} | environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split(), done.stderr

    return run_script


LAYER = """
    import os, sys
    for name in os.environ.get("MISSING", "").split():
        sys.modules["numba.np.ufunc." + name] = None  # as if its library were not there
    import caffe
    import numba
    try:
        print("started already:", numba.threading_layer())
    except ValueError:
        pass
    numba.get_num_threads()
    print(numba.threading_layer(), os.environ.get("GOMP_SPINCOUNT"))
    """


def test_openmp_is_preferred(run):
    pytest.importorskip("numba.np.ufunc.omppool", exc_type=ImportError)
    printed, log = run(LAYER)
    assert printed == ["omp", "5000"]
    assert log == ""


def test_without_openmp_and_tbb_there_is_one_warning(run):
    printed, log = run(LAYER, MISSING="omppool tbbpool")
    assert printed == ["workqueue", "5000"]
    assert log.count("Install libgomp1") == 1


def test_the_users_environment_is_heeded(run):
    printed, log = run(
        LAYER, NUMBA_THREADING_LAYER="workqueue", GOMP_SPINCOUNT="7", MISSING="omppool tbbpool"
    )
    assert printed == ["workqueue", "7"]
    assert log == ""
    printed, _ = run(LAYER, NUMBA_THREADING_LAYER_PRIORITY="workqueue omp tbb")
    assert printed[0] == "workqueue"
    printed, _ = run(LAYER, OMP_WAIT_POLICY="active")
    assert printed[-1] == "None"


FORK = """
    import os
    import numpy as np
    from caffe import CaffeError
    from caffe.kernels.cpu.jit import jit
    from caffe.kernels.cpu.parallel import parallel_for
    from caffe.kernels.threads import check_process

    @jit
    def one_more(i, x):
        x[i] += 1

    @jit
    def count_up(x):
        parallel_for(one_more, x.size, (x,))

    def work():
        check_process()
        x = np.zeros(1000)
        count_up(x)
        assert (x == 1).all()

    def outcome(function):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                function()
                status = 0
            except CaffeError as error:
                status = 7 if "'spawn'" in str(error) else 8
            finally:
                os._exit(status)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    print("before", outcome(work))
    work()
    print("child", outcome(work))
    print("grandchild", outcome(lambda: os._exit(outcome(work))))
    print("unused", outcome(lambda: None))
    work()
    """


@pytest.mark.parametrize(("layer", "forked"), [("omp", "7"), ("workqueue", "0")])
def test_a_process_forked_after_kernels_ran(run, layer, forked):
    if layer == "omp":
        pytest.importorskip("numba.np.ufunc.omppool", exc_type=ImportError)
    printed, _ = run(FORK, NUMBA_THREADING_LAYER=layer)
    outcomes = dict(zip(printed[::2], printed[1::2], strict=True))
    assert outcomes == {"before": "0", "child": forked, "grandchild": forked, "unused": "0"}


def test_nets_and_solvers_check_the_process(monkeypatch):
    solver = make_solver()
    solver.step(1)
    monkeypatch.setattr(threads, "_is_lost", True)
    for action in (solver.net.forward, solver.net.backward, solver.apply_update):
        with pytest.raises(CaffeError, match="'spawn' method"):
            action()
    assert solver.iter == 1
