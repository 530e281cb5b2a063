"""Snapshots: safe to write, exact to resume, Caffe's too."""

import errno
import os
import random
import re
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from solver_testing import (
    GOLDEN,
    INPUT_NET,
    caffe_command,
    make_solver,
    parameters,
    run_caffe,
    solver_param,
    step_losses,
    write_training,
)

from caffe.errors import CaffeError
from caffe.proto import caffe_pb2
from caffe.solver import SolverAction, get_solver

TRAINING = 'base_lr: 0.02 lr_policy: "fixed" momentum: 0.9 weight_decay: 0.001 random_seed: 5 '
TESTS = "test_iter: 3 test_interval: 5 "
LOSS = re.compile(r"Iteration (\d+) \(.*, loss = (\S+)$", re.M)


def same(a, b) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(parameters(a), parameters(b), strict=True))


def test_a_state_from_caffe_resumes_as_in_caffe() -> None:
    files = GOLDEN / "files"
    after = np.load(files / "tiny_sgd_after7.npz")
    param = solver_param(
        (files / "tiny_sgd.solver.prototxt").read_text(), (files / "tiny.net.prototxt").read_text()
    )
    solver = get_solver(param)
    solver.restore(files / "tiny_sgd_iter_4.solverstate")  # its weights are beside it
    assert solver.iter == 4
    solver.net.blobs["data"].data[...] = after["data"]
    solver.net.blobs["label"].data[...] = after["label"]
    solver.step(3)
    for index, data in enumerate(parameters(solver)):
        expected = after[f"p_{index}"]
        largest = np.abs(expected).max()
        np.testing.assert_allclose(data, expected, rtol=2e-4, atol=2e-5 * largest)


@pytest.mark.parametrize("options", ["", "iter_size: 3 ", "average_loss: 4 ", TESTS])
def test_resuming_is_exact(tmp_path, options) -> None:
    """Crop and mirror draw random numbers; 50 records in batches of 8 wrap round in between."""
    path = write_training(tmp_path, TRAINING + options + 'max_iter: 30 regularization_type: "L1"')
    straight = get_solver(path)
    losses = step_losses(straight, 7)
    straight.snapshot()
    losses = step_losses(straight, 9)
    smoothed = straight.smoothed_loss
    resumed = get_solver(path)
    resumed.restore(f"{tmp_path}/snap_iter_7.solverstate")
    assert resumed.iter == 7
    assert step_losses(resumed, 9) == losses
    assert resumed.smoothed_loss == smoothed
    assert same(straight, resumed)


def test_resuming_needs_no_fresh_solver(tmp_path) -> None:
    solver = get_solver(write_training(tmp_path, TRAINING + "average_loss: 3 max_iter: 30"))
    solver.step(4)
    solver.snapshot()
    losses = step_losses(solver, 6)
    for _ in range(2):
        solver.restore(f"{tmp_path}/snap_iter_4.solverstate")
        assert step_losses(solver, 6) == losses


def test_a_snapshot_amid_tests_resumes_at_their_start(tmp_path, caffe_log) -> None:
    path = write_training(tmp_path, TRAINING + TESTS + "max_iter: 30")
    straight = get_solver(path)
    straight.step(5)
    asked = [0]

    def ask() -> SolverAction:
        asked[0] += 1
        return SolverAction.SNAPSHOT if asked[0] == 2 else SolverAction.NONE

    straight.action_function = ask
    caffe_log.clear()
    losses = step_losses(straight, 4)

    def scores() -> list[str]:
        return [r.getMessage() for r in caffe_log.records if "Test net output" in r.getMessage()]

    wanted = scores()
    assert wanted
    resumed = get_solver(path)
    resumed.restore(f"{tmp_path}/snap_iter_5.solverstate")
    caffe_log.clear()
    assert step_losses(resumed, 4) == losses
    assert scores() == wanted


def test_policies_go_on_at_their_step(tmp_path) -> None:
    text = f'snapshot_prefix: "{tmp_path}/s" lr_policy: "multistep" gamma: 0.5 stepvalue: 2 '
    text += "stepvalue: 3 stepvalue: 6 momentum: 0.5"
    straight, resumed = make_solver(text), make_solver(text)
    straight.step(4)
    straight.snapshot()
    straight.step(4)
    resumed.restore(f"{tmp_path}/s_iter_4.solverstate")
    resumed.step(4)
    assert same(straight, resumed)


def test_what_a_snapshot_holds(tmp_path) -> None:
    solver = make_solver(f'snapshot_prefix: "{tmp_path}/s" snapshot_diff: true momentum: 0.9')
    solver.step(2)
    solver.snapshot()
    state = caffe_pb2.SolverState.FromString((tmp_path / "s_iter_2.solverstate").read_bytes())
    assert state.iter == 2
    assert state.learned_net == f"{tmp_path}/s_iter_2.caffemodel"
    assert [list(blob.shape.dim) for blob in state.history] == [[5, 4], [5], [3, 5], [3]]
    model = caffe_pb2.NetParameter.FromString((tmp_path / "s_iter_2.caffemodel").read_bytes())
    blob = next(layer for layer in model.layer if layer.name == "ip1").blobs[0]
    np.testing.assert_array_equal(blob.data, solver.net.params["ip1"][0].data.reshape(-1))
    np.testing.assert_array_equal(blob.diff, solver.net.params["ip1"][0].diff.reshape(-1))
    assert sorted(os.listdir(tmp_path)) == ["s_iter_2.caffemodel", "s_iter_2.solverstate"]


def test_a_snapshot_that_has_moved(tmp_path) -> None:
    solver = make_solver(f'snapshot_prefix: "{tmp_path}/s"')
    solver.step(2)
    solver.snapshot()
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("s_iter_2.caffemodel", "s_iter_2.solverstate"):
        shutil.move(tmp_path / name, moved / name)
    other = make_solver("random_seed: 99")
    other.restore(str(moved / "s_iter_2.solverstate"))
    assert same(solver, other)
    (moved / "s_iter_2.caffemodel").unlink()
    with pytest.raises(CaffeError, match=r"its weights, .*s_iter_2.caffemodel, do not exist"):
        other.restore(str(moved / "s_iter_2.solverstate"))


def test_a_state_that_does_not_fit_changes_nothing(tmp_path) -> None:
    make_solver(f'snapshot_prefix: "{tmp_path}/s"').snapshot()
    path = f"{tmp_path}/s_iter_0.solverstate"
    for old, new, message in (
        ("num_output: 5", "num_output: 9", r"history blob 0 does not fit: .* 9 4 \(36\)"),
        ("num_output: 3", "num_output: 3 bias_term: false", "Incorrect length of history blobs"),
    ):
        solver = make_solver("", INPUT_NET.replace(old, new))
        before = parameters(solver)
        with pytest.raises(CaffeError, match=message):
            solver.restore(path)
        assert solver.iter == 0
        for a, b in zip(before, parameters(solver), strict=True):
            np.testing.assert_array_equal(a, b)


def test_files_that_are_no_state(tmp_path) -> None:
    solver = make_solver(f'snapshot_prefix: "{tmp_path}/s"')
    solver.snapshot()
    whole = (tmp_path / "s_iter_0.solverstate").read_bytes()
    (tmp_path / "cut.solverstate").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.solverstate").write_bytes(b"")
    for name, message in (
        ("missing.solverstate", "no such file"),
        ("cut.solverstate", "cut short"),
        ("empty.solverstate", "is empty"),
        ("s_iter_0.caffemodel", "is weights, .* give the .solverstate beside it"),
        ("net.prototxt", "is a description, not a solver state"),
        ("x.solverstate.h5", "HDF5"),
    ):
        with pytest.raises(CaffeError, match=message) as caught:
            solver.restore(str(tmp_path / name))
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_full_disk_leaves_the_last_snapshot(tmp_path, monkeypatch) -> None:
    solver = make_solver(f'snapshot_prefix: "{tmp_path}/s"')
    solver.snapshot()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    solver.net.learnable_params[0].data[...] += 1

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CaffeError, match=r"s_iter_0.caffemodel: No space left .* as they were"):
        solver.snapshot()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_killed_while_replacing_a_pair_no_state_has_weights_not_its_own(
    tmp_path, monkeypatch
) -> None:
    solver = make_solver(f'snapshot_prefix: "{tmp_path}/s"')
    solver.snapshot()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    solver.net.learnable_params[0].data[...] += 1
    replace = os.replace

    def killed_after(renames: int) -> None:
        left = iter(range(renames))

        def rename(source, target) -> None:
            if next(left, None) is None:
                raise KeyboardInterrupt
            replace(source, target)

        monkeypatch.setattr(os, "replace", rename)
        with pytest.raises(KeyboardInterrupt):
            solver.snapshot()

    killed_after(0)
    model = tmp_path / "s_iter_0.caffemodel"
    assert [path.name for path in tmp_path.iterdir()] == [model.name]
    assert model.read_bytes() == before[model.name]
    killed_after(1)
    assert [path.name for path in tmp_path.iterdir()] == [model.name]
    assert model.read_bytes() != before[model.name]


def test_leftovers_of_killed_trainings_are_removed(tmp_path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    leftover = f".s_iter_5.caffemodel.{dead.pid}.tmp"
    kept = [
        f".s_iter_5.caffemodel.{os.getppid()}.tmp",
        f".s2_iter_5.caffemodel.{dead.pid}.tmp",
        f"s_iter_5.{dead.pid}.tmp",
    ]
    for name in (leftover, *kept):
        (tmp_path / name).touch()
    solver = make_solver(f'snapshot_prefix: "{tmp_path}/s"')
    assert (tmp_path / leftover).exists()  # it takes no snapshots by itself
    make_solver(f'snapshot: 5 snapshot_prefix: "{tmp_path}/s"')
    assert sorted(os.listdir(tmp_path)) == sorted(kept)
    (tmp_path / leftover).touch()
    solver.param.snapshot_after_train = True
    solver.param.max_iter = 0
    solver.solve()
    assert not (tmp_path / leftover).exists()


def test_killed_at_any_moment_the_training_goes_on_exactly(tmp_path) -> None:
    """kill -9 again and again; each run resumes from the last snapshot that is there."""
    text = TRAINING + "max_iter: 400 snapshot: 2 display: 1 average_loss: 5 "
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    straight.mkdir()
    killed.mkdir()
    code, _, log = run_caffe("train", "--solver", write_training(straight, text))
    assert code == 0, log
    wanted = dict(LOSS.findall(log))
    assert len(wanted) == 400

    path = write_training(killed, text)
    losses: dict[str, str] = {}
    chance = random.Random(1)
    for lines in (15, 30, 40, None):  # kill after so many lines of loss; None: let it finish
        states = [int(p.stem.rsplit("_", 1)[1]) for p in killed.glob("snap_iter_*.solverstate")]
        resume = [f"--snapshot={killed}/snap_iter_{max(states)}.solverstate"] if states else []
        process = caffe_command("train", f"--solver={path}", *resume)
        seen: list[tuple[str, str]] = []
        for line in process.stderr:
            seen += LOSS.findall(line)
            if lines and len(seen) == lines and process.poll() is None:
                time.sleep(chance.random() * 0.005)
                process.kill()
        assert process.wait() == (-9 if lines else 0)
        process.stderr.close()
        process.stdout.close()
        for iteration, loss in seen:
            assert losses.setdefault(iteration, loss) == loss
    assert losses == wanted
    models = [
        caffe_pb2.NetParameter.FromString((folder / "snap_iter_400.caffemodel").read_bytes())
        for folder in (straight, killed)
    ]
    weights = [[list(b.data) for layer in m.layer for b in layer.blobs] for m in models]
    assert weights[0] == weights[1]
