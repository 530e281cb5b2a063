"""What a recorded training and a recorded test note down."""

import numpy as np
from kernel_testing import gpu_only, run_kernel

pytestmark = gpu_only


def floats(*values):
    return np.array(values, np.float32)


def test_begin_update_notes_the_loss_and_takes_the_rate():
    count, losses, rates = np.array([1], np.int64), floats(7, 0, 0), floats(0.3, 0.2, 0.1)
    arguments = count, floats(6), losses, floats(0), rates, floats(0.3), 0.5
    (count, loss, losses, guard, _, rate, _), _ = run_kernel("begin_update", *arguments)
    assert count.tolist() == [2]
    assert loss.tolist() == [0]
    assert losses.tolist() == [7, 3, 0]
    assert guard.tolist() == [0]
    assert rate.tolist() == floats(0.2).tolist()


def test_a_loss_that_is_not_finite_is_never_forgotten():
    for value in (np.nan, np.inf, -np.inf):
        guard = floats(0)
        for loss in (1, value, 1):
            arguments = np.zeros(1, np.int64), floats(loss), floats(0), guard, floats(1), floats(1)
            (_, _, _, guard, _, _, _), _ = run_kernel("begin_update", *arguments, 1.0)
        assert np.isnan(guard[0])


def test_collect_and_next_row():
    table, row = np.zeros((3, 4), np.float32), np.array([1], np.int64)
    (_, _, _, table), _ = run_kernel("collect", floats(5, 6), 1, row, table)
    assert table.tolist() == [[0, 0, 0, 0], [0, 5, 6, 0], [0, 0, 0, 0]]
    (row,), _ = run_kernel("next_row", row)
    assert row.tolist() == [2]
