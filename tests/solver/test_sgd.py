"""SGD against Caffe: each recorded training, ten updates long."""

import numpy as np
import pytest
from solver_testing import GOLDEN, make_solver, parameters, solver_param

from caffe.errors import CaffeError
from caffe.solver import get_solver

RECORDS = sorted(path.stem for path in (GOLDEN / "solvers").glob("sgd_*.npz"))


@pytest.mark.parametrize("name", RECORDS)
def test_agrees_with_caffe(name) -> None:
    record = np.load(GOLDEN / "solvers" / f"{name}.npz")
    solver = get_solver(solver_param(str(record["solver"]), str(record["net"])))
    solver.net.blobs["data"].data[...] = record["data"]
    solver.net.blobs["label"].data[...] = record["label"]
    for index, blob in enumerate(solver.net.learnable_params):
        blob.data[...] = record[f"init_{index}"]
    for k in range(1, 11):
        solver.step(1)
        assert solver.iter == k
        assert solver.loss == pytest.approx(float(record[f"loss_{k}"]), rel=1e-4)
        for index, data in enumerate(parameters(solver)):
            if f"after_{k}_{index}" in record:
                expected = record[f"after_{k}_{index}"]
                largest = np.abs(expected).max()
                np.testing.assert_allclose(data, expected, rtol=2e-4, atol=2e-5 * largest)


def test_every_kind_of_record_is_there() -> None:
    assert len(RECORDS) == 8


def test_clipping_is_logged(caffe_log) -> None:
    solver = make_solver("clip_gradients: 0.01")
    solver.step(1)
    lines = [r.getMessage() for r in caffe_log.records if "clipping" in r.getMessage()]
    assert len(lines) == 1
    assert lines[0].startswith("Gradient clipping: scaling down gradients (L2 norm ")
    assert " > 0.01) by scale factor " in lines[0]


def test_apply_update_is_one_step_of_the_rule() -> None:
    solver = make_solver("momentum: 0.9")
    before = parameters(solver)
    for blob in solver.net.learnable_params:
        blob.diff[...] = 1
    solver.apply_update()
    solver.net.learnable_params[0].diff[...] = 0
    solver.apply_update()
    assert solver.iter == 2
    first = solver.net.learnable_params[0].data
    np.testing.assert_allclose(first, before[0] - 0.1 - 0.09, rtol=1e-5)


def test_a_changed_param_takes_effect() -> None:
    solver = make_solver("momentum: 0.9")
    solver.step(2)
    solver.param.base_lr = solver.param.momentum = 0
    before = parameters(solver)
    solver.step(1)
    for a, b in zip(before, parameters(solver), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('regularization_type: "L3"', "Unknown regularization type: 'L3'"),
        ("average_loss: 0", "average_loss is 0"),
        ("iter_size: 0", "iter_size is 0"),
        ('type: "Adam"', "does not have it yet; use SGD"),
        ('type: "sgd"', "Unknown solver type: 'sgd'; did you mean 'SGD'"),
        ('type: "SDG"', "Unknown solver type: 'SDG'; did you mean 'SGD'"),
        ("snapshot: 5", "snapshot_prefix is not"),
        ("snapshot_format: HDF5", "use snapshot_format: BINARYPROTO"),
    ],
)
def test_what_does_not_fit(text, message) -> None:
    with pytest.raises(CaffeError, match=message):
        make_solver(text)


def test_the_old_solver_type_field_counts() -> None:
    with pytest.raises(CaffeError, match="'Adam'; this version does not have it yet"):
        make_solver("solver_type: ADAM")
