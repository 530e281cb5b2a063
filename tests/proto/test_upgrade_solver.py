"""Reading solvers: their old type field, their snapshot_prefix, their own nets."""

import pytest

from caffe.errors import CaffeError
from caffe.proto import upgrade
from caffe.proto.caffe_pb2 import SolverParameter


@pytest.mark.parametrize(
    ("old", "new"),
    [("SGD", "SGD"), ("NESTEROV", "Nesterov"), ("ADAGRAD", "AdaGrad"), ("RMSPROP", "RMSProp"),
     ("ADADELTA", "AdaDelta"), ("ADAM", "Adam")],
)  # fmt: skip
def test_solver_type(old, new, tmp_path, log):
    path = tmp_path / "solver.prototxt"
    path.write_text(f"solver_type: {old} snapshot_prefix: 's'")
    assert upgrade.read_solver_param(path) == SolverParameter(type=new, snapshot_prefix="s")
    assert log[0] == (
        "I Attempting to upgrade input file specified using deprecated 'solver_type' field "
        f"(enum)': {path}"
    )
    assert [line[0] for line in log] == ["I", "I", "W"]


def test_solver_with_both_types(tmp_path):
    path = tmp_path / "solver.prototxt"
    path.write_text("solver_type: ADAM type: 'SGD'")
    with pytest.raises(CaffeError, match="has both solver_type: ADAM"):
        upgrade.read_solver_param(path)


def test_snapshot_prefix(tmp_path):
    path = tmp_path / "my.solver.prototxt"
    path.write_text("base_lr: 1")
    assert upgrade.read_solver_param(path).snapshot_prefix == str(tmp_path / "my.solver")
    path.write_text(f"snapshot_prefix: '{tmp_path}'")
    assert upgrade.read_solver_param(path).snapshot_prefix == str(tmp_path / "my.solver")
    path.write_text("snapshot_prefix: 'elsewhere/x'")
    assert upgrade.read_solver_param(path).snapshot_prefix == "elsewhere/x"


def test_nets_inside_a_solver(tmp_path):
    path = tmp_path / "solver.prototxt"
    path.write_text("net_param { layers { type: RELU } } test_net_param { layers { type: TANH } }")
    solver = upgrade.read_solver_param(path)
    assert solver.net_param.layer[0].type == "ReLU"
    assert solver.test_net_param[0].layer[0].type == "TanH"
