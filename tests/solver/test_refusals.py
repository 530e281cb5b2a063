"""What a solver refuses, each with one clear line."""

import os

import pytest
from solver_testing import INPUT_NET, make_solver, solver_param

from caffe.errors import CaffeError
from caffe.solver import get_solver


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('net: "x"', "more than one .* it has net and net_param"),
        ("test_iter: 1", "no test_interval"),
        ("test_iter: 0 test_interval: 1", "each test_iter of the solver must be positive"),
        ("test_net_param { } ", "test_iter must be specified for each test network: .* 0 test_i"),
        ("test_iter: 1 test_interval: 1 test_state { } test_state { }", "once per test net"),
        ('weights: "missing.caffemodel"', "missing.caffemodel: no such file"),
        ('weights: "x.solverstate"', "is a solver state, not weights; give the .caffemodel beside"),
        ('weights: "x.prototxt"', "x.prototxt: is a description, not weights"),
        ('weights: " ,"', "weights ' ,': no file is named"),
        (
            'snapshot: 1 snapshot_prefix: "no/such/folder/x"',
            r"Cannot write to snapshot prefix 'no/such/folder/x' \(No such file or directory\) "
            rf"\(the path is relative to the current folder, {os.getcwd()}\)\. Make sure",
        ),
    ],
)
def test_what_does_not_fit(text, message) -> None:
    with pytest.raises(CaffeError, match=message):
        make_solver(text)


def test_a_solver_without_a_net() -> None:
    with pytest.raises(CaffeError, match="must specify a train net using one of these fields: net"):
        get_solver(solver_param('base_lr: 1 lr_policy: "fixed"'))


def test_a_missing_net_names_the_field() -> None:
    text = 'base_lr: 1 lr_policy: "fixed" '
    for fields, name in (
        ('net: "no.prototxt"', "net"),
        ('train_net: "no.prototxt"', "train_net"),
        ('test_net: "no.prototxt" test_iter: 1 test_interval: 1', "test_net"),
    ):
        net = INPUT_NET if name == "test_net" else ""
        with pytest.raises(
            CaffeError, match=rf"^no.prototxt: no such .*; it is the solver's {name}$"
        ):
            get_solver(solver_param(text + fields, net))


def test_a_net_with_a_mistake_begins_with_its_place(tmp_path) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text("nam: 'x'")
    with pytest.raises(CaffeError, match=rf"^{path}:1:") as caught:
        get_solver(solver_param(f'base_lr: 1 lr_policy: "fixed" net: "{path}"'))
    assert "the solver's net" not in str(caught.value)


def test_a_solver_of_something_else() -> None:
    with pytest.raises(TypeError, match="SolverParameter, not 5"):
        get_solver(5)


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "max_iter is not given"), ("max_iter: -1", "max_iter is -1; it must")],
)
def test_solve_needs_max_iter(text, message) -> None:
    param = solver_param('base_lr: 1 lr_policy: "fixed" snapshot_after_train: false ', INPUT_NET)
    solver = get_solver(solver_param(f"{param} {text}"))
    with pytest.raises(CaffeError, match=message):
        solver.solve()
    solver.step(1)
    assert solver.iter == 1


@pytest.mark.parametrize("count", [-1, 1.0, "1", None])
def test_a_count_of_steps_that_is_none(count) -> None:
    with pytest.raises(CaffeError, match="give a whole number of iterations, 0 or more"):
        make_solver().step(count)


def test_a_snapshot_without_a_prefix() -> None:
    with pytest.raises(
        CaffeError, match="a snapshot is asked for but snapshot_prefix is not given"
    ):
        make_solver().snapshot()
