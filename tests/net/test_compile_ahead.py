"""The first run: a second process compiles what the backward pass needs."""

import os
import subprocess
import sys
import textwrap

import pytest

SCRIPT = textwrap.dedent(
    """
    import sys
    from numba.core.event import Listener, install_listener
    import caffe
    from caffe.proto import caffe_pb2

    class Compilations(Listener):
        names = []

        def on_start(self, event):
            self.names.append(event.data["dispatcher"].py_func.__name__)

        def on_end(self, event):
            pass

    if len(sys.argv) > 1:
        sys.executable = sys.argv[1]
    param = caffe_pb2.SolverParameter(base_lr=0.1, lr_policy="fixed", random_seed=1)
    param.net = "net.prototxt"
    solver = caffe.SGDSolver(param)
    print("waits" if solver.net.before_backward else "alone")
    with install_listener("numba:compile", Compilations()) as compiled:
        solver.step(2)
    print("backward" if "inner_product_backward_bias" in compiled.names else "none")
    print(solver.net.blobs["loss"].data.item())
    """
)
NET = """
layer { name: "data" type: "DummyData" top: "data" top: "label" dummy_data_param {
  shape { dim: 4 dim: 3 } shape { dim: 4 }
  data_filler { type: "uniform" } data_filler { type: "constant" value: 1 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 2 weight_filler { type: "uniform" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""


@pytest.fixture
def run(tmp_path):
    """Trains for two iterations in a process of its own, with a cache that is kept between runs.
    Returns whether a second process compiled, what this one did of backward's, and the loss."""
    (tmp_path / "net.prototxt").write_text(NET)

    def run_script(*arguments):
        kept = {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "NUMBA_NUM_THREADS": "2"}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *arguments],
            cwd=tmp_path,
            env=os.environ | kept,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    return run_script


def test_a_second_process_compiles_in_the_first_run_only(run):
    *first, loss = run()
    assert first == ["waits", "none"]
    assert run() == ["alone", "none", loss]


@pytest.mark.parametrize("program", ["/bin/false", "/no/such/python"])
def test_a_process_that_fails_is_not_missed(run, program):
    assert run(program)[1] == "backward"
