"""The training loop: what it runs and logs."""

import errno
import os
import re

import numpy as np
import pytest
from solver_testing import INPUT_NET, make_solver, parameters, solver_param, step_losses

import caffe
from caffe.errors import CaffeError
from caffe.solver import SGDSolver, SolverAction, get_solver

NET_WITH_TEST = INPUT_NET.replace(
    'layer { name: "loss"',
    'layer { name: "accuracy" type: "Accuracy" bottom: "ip2" bottom: "label" top: "accuracy" '
    'include { phase: TEST } }\nlayer { name: "loss"',
)


def messages(log) -> list[str]:
    return [record.getMessage() for record in log.records]


def test_the_log_is_caffes(caffe_log, tmp_path) -> None:
    solver = make_solver(
        f'display: 2 test_iter: 3 test_interval: 2 snapshot: 3 snapshot_prefix: "{tmp_path}/s"',
        NET_WITH_TEST,
    )
    solver.param.max_iter = 4
    caffe_log.clear()
    solver.solve()
    number = r"-?[\d.]+(e[+-]\d+)?"
    test = [
        rf"    Test net output #0: accuracy = {number}",
        rf"    Test net output #1: loss = {number} \(\* 1 = {number} loss\)",
    ]
    wanted = ["Solving small", "Learning Rate Policy: fixed"]
    for iteration in (0, 2):
        wanted += [
            rf"Iteration {iteration}, Testing net \(#0\)",
            *test,
            rf"Iteration {iteration} \({number} iter/s, {number}s/2 iters\), loss = {number}",
            rf"    Train net output #0: loss = {number} \(\* 1 = {number} loss\)",
            rf"Iteration {iteration}, lr = 0.1",
        ]
    wanted += [
        rf"Snapshotting to binary proto file {tmp_path}/s_iter_3.caffemodel",
        rf"Snapshotting solver state to binary proto file {tmp_path}/s_iter_3.solverstate",
        rf"Iteration 4, loss = {number}",
        r"Iteration 4, Testing net \(#0\)",
        *test,
        "Optimization Done.",
    ]
    logged = [m for m in messages(caffe_log) if not m.startswith("Compiling")]
    assert len(logged) == len(wanted)
    for line, pattern in zip(logged, wanted, strict=True):
        assert re.fullmatch(pattern, line), (line, pattern)


def test_the_log_of_making_a_solver(caffe_log) -> None:
    make_solver("test_iter: 1 test_interval: 2")
    logged = messages(caffe_log)
    assert logged[0].startswith("Initializing solver from parameters: \ntest_iter: 1\n")
    assert "Creating training net specified in net_param." in logged
    assert "Creating test net (#0) specified by net_param" in logged
    assert logged[-1] == "Solver scaffolding done."


def test_display_shows_the_mean_loss_of_the_last_iterations() -> None:
    solver = make_solver("average_loss: 3")
    losses = step_losses(solver, 5)
    assert losses[0] > losses[4]
    assert solver.smoothed_loss == pytest.approx(np.mean(losses[2:]), rel=1e-6)


def test_iter_size_adds_gradients_of_several_batches() -> None:
    one, two = make_solver(), make_solver("iter_size: 2")
    one.step(3)
    two.step(3)
    for a, b in zip(parameters(one), parameters(two), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    assert one.loss == pytest.approx(two.loss, rel=1e-5)


def test_equal_seeds_give_equal_trainings() -> None:
    assert step_losses(make_solver(), 4) == step_losses(make_solver(), 4)


def test_test_nets_use_the_trained_weights(caffe_log) -> None:
    solver = make_solver("test_iter: 2 test_interval: 100 test_compute_loss: true")
    solver.step(3)
    test_net = solver.test_nets[0]
    for name in ("data", "label"):
        test_net.blobs[name].data[...] = solver.net.blobs[name].data
    caffe_log.clear()
    solver.test(0)
    assert test_net.forward_loss() == solver.net.forward_loss()
    assert f"Test loss: {test_net.forward_loss():g}" in messages(caffe_log)


def test_no_test_before_the_first_iteration_unless_asked(caffe_log) -> None:
    make_solver("test_iter: 1 test_interval: 2 test_initialization: false").step(3)
    tests = [m for m in messages(caffe_log) if "Testing net" in m]
    assert tests == ["Iteration 2, Testing net (#0)"]


def test_several_test_nets_in_caffes_order(caffe_log, tmp_path) -> None:
    path = tmp_path / "test.prototxt"
    path.write_text(INPUT_NET)
    text = f'test_iter: 1 test_iter: 2 test_iter: 3 test_interval: 9 test_net: "{path}" '
    param = solver_param('base_lr: 1 lr_policy: "fixed" max_iter: 1 ' + text, NET_WITH_TEST)
    param.test_net_param.add().CopyFrom(param.net_param)
    for stage in "abc":
        param.test_state.add(stage=[stage])
    solver = get_solver(param)
    sources = [m for m in messages(caffe_log) if m.startswith("Creating test net")]
    assert sources == [
        "Creating test net (#0) specified by test_net_param",
        f"Creating test net (#1) specified by test_net file: {path}",
        "Creating test net (#2) specified by net_param",
    ]
    assert [net.outputs for net in solver.test_nets] == [
        ["accuracy", "loss"],
        ["loss"],
        ["accuracy", "loss"],
    ]


def test_train_state_and_the_nets_own_state_select_layers() -> None:
    silence = 'layer { name: "s" type: "Silence" bottom: "ip2" include { stage: "%s" } }\n'
    net = INPUT_NET.replace('layer { name: "loss"', silence % "x" + 'layer { name: "loss"')
    assert "s" not in make_solver("", net).net.layer_dict
    assert "s" in make_solver('train_state { stage: "x" }', net).net.layer_dict
    assert "s" in make_solver("", net + 'state { stage: "x" }').net.layer_dict


def test_the_solvers_weights_are_loaded(tmp_path) -> None:
    source = make_solver()
    path = tmp_path / "w.caffemodel"
    source.net.save(str(path))
    solver = make_solver(f'weights: "{path}, " random_seed: 99 test_iter: 1 test_interval: 50')
    for a, b in zip(parameters(source), parameters(solver), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(
        solver.test_nets[0].params["ip1"][0].data, source.net.params["ip1"][0].data
    )


def test_callbacks_and_pycaffes_names() -> None:
    solver = make_solver()
    assert isinstance(solver, SGDSolver)
    calls = []
    solver.add_callback(
        lambda: calls.append(("start", solver.iter)),
        lambda: calls.append(("ready", bool(solver.net.learnable_params[0].diff.any()))),
    )
    solver.step(2)
    assert calls == [("start", 0), ("ready", True), ("start", 1), ("ready", True)]
    assert solver.iter == 2
    assert solver.param.max_iter == 20
    assert caffe.SGDSolver is SGDSolver
    assert caffe.get_solver is get_solver


def test_debug_info_is_logged_with_the_display(caffe_log) -> None:
    solver = make_solver("debug_info: true display: 2")
    caffe_log.clear()
    solver.step(1)
    assert any("[Backward] All net params" in m for m in messages(caffe_log))
    caffe_log.clear()
    solver.step(1)
    assert not messages(caffe_log)


def test_stop_and_snapshot_on_request(tmp_path, caffe_log) -> None:
    solver = make_solver(f'snapshot_prefix: "{tmp_path}/s"')
    solver.param.snapshot_after_train = True
    actions = iter([SolverAction.NONE, SolverAction.SNAPSHOT, SolverAction.NONE, SolverAction.STOP])
    solver.action_function = lambda: next(actions)
    solver.solve()
    assert solver.iter == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"s_iter_{n}.{kind}" for n in (2, 4) for kind in ("caffemodel", "solverstate")
    ]
    assert messages(caffe_log)[-1] == "Optimization stopped early."


def test_stop_while_testing(caffe_log) -> None:
    solver = make_solver("test_iter: 5 test_interval: 2")
    answers = iter([SolverAction.NONE] * 2 + [SolverAction.STOP, SolverAction.NONE])
    solver.action_function = lambda: next(answers)
    solver.solve()
    assert solver.iter == 0
    assert messages(caffe_log)[-2:] == ["Test interrupted.", "Optimization stopped early."]


def test_a_loss_that_is_not_finite_names_iteration_and_layer(tmp_path) -> None:
    solver = make_solver(f'snapshot: 1 snapshot_prefix: "{tmp_path}/s"')
    solver.step(2)
    weights = parameters(solver)
    solver.net.blobs["data"].data[0, 0] = np.nan
    with pytest.raises(CaffeError, match=r"Iteration 2: the loss is nan; .* layer 'data'"):
        solver.step(1)
    for a, b in zip(weights, parameters(solver), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (tmp_path / "s_iter_2.solverstate").exists()
    assert not (tmp_path / "s_iter_3.solverstate").exists()
    solver.net.blobs["data"].data[...] = 1
    solver.net.params["ip2"][1].data[0] = np.inf
    with pytest.raises(CaffeError, match=r"layer 'ip2' \(InnerProduct\), in its parameter 1"):
        solver.step(1)


def test_weights_that_are_not_finite_are_not_snapshotted(tmp_path) -> None:
    solver = make_solver(f'snapshot: 1 snapshot_prefix: "{tmp_path}/s"')
    solver.add_callback(lambda: None, lambda: solver.net.params["ip1"][0].diff.fill(np.nan))
    with pytest.raises(CaffeError, match=r"Iteration 1: no snapshot .* layer 'ip1' .* parameter 0"):
        solver.step(1)
    assert not list(tmp_path.iterdir())


def test_a_final_snapshot_that_failed_is_written_by_the_next_solve(tmp_path, monkeypatch) -> None:
    solver = make_solver(f'snapshot: 2 max_iter: 4 snapshot_prefix: "{tmp_path}/s"')
    solver.param.snapshot_after_train = True
    solver.step(3)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(CaffeError, match="No space left"):
            solver.solve()
    assert solver.iter == 4
    state = tmp_path / "s_iter_4.solverstate"
    assert not state.exists()
    solver.solve()
    written = state.stat().st_mtime_ns
    solver.solve()
    assert state.stat().st_mtime_ns == written


def test_steps_are_counted_in_any_whole_number() -> None:
    solver = make_solver()
    solver.step(np.int64(2))
    solver.step(0)
    assert solver.iter == 2
