"""The prototxts of examples/mnist load; the tutorial's V1 text means the same as today's."""

from pathlib import Path

import pytest

from caffe.proto import upgrade

EXAMPLES = Path(__file__).parent.parent.parent / "examples" / "mnist"


def test_tutorials_text_is_todays_net():
    today = upgrade.read_net_param(EXAMPLES / "lenet_train_test.prototxt")
    tutorial = upgrade.read_net_param(EXAMPLES / "lenet_train_test_v1.prototxt")
    tutorial.layer[-1].top.append("loss")  # the tutorial leaves it to the net to name it
    assert tutorial == today


def test_deploy_net_has_the_layers_whose_parameters_are_trained():
    trained = upgrade.read_net_param(EXAMPLES / "lenet_train_test.prototxt")
    deployed = upgrade.read_net_param(EXAMPLES / "lenet.prototxt")
    inner = [layer for layer in trained.layer if layer.type not in ("Data", "Accuracy")][:-1]
    assert list(deployed.layer[1:-1]) == inner
    assert [deployed.layer[0].type, deployed.layer[-1].type] == ["Input", "Softmax"]


@pytest.mark.parametrize(
    ("name", "policy", "net"),
    [
        ("lenet_solver", "inv", "lenet_train_test"),
        ("lenet_solver_v1", "inv", "lenet_train_test_v1"),
        ("lenet_multistep_solver", "multistep", "lenet_train_test"),
    ],
)
def test_solvers(name, policy, net):
    solver = upgrade.read_solver_param(EXAMPLES / f"{name}.prototxt")
    assert solver.net == f"examples/mnist/{net}.prototxt"
    assert (solver.lr_policy, solver.max_iter) == (policy, 10000)
    assert list(solver.stepvalue) == ([5000, 7000, 8000, 9000, 9500] if "multi" in name else [])
    assert solver.snapshot_prefix.startswith("examples/mnist/lenet")
