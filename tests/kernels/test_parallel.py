"""parallel_for: every turn once, with any arguments, compiled or cached, under any layer."""

import os
import subprocess
import sys
import textwrap

import numba
import numpy as np
import pytest
from kernel_testing import cpu_only
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from caffe.kernels.cpu.jit import jit
from caffe.kernels.cpu.parallel import LINE, parallel_for, parallel_for_workers, worker_count

pytestmark = cpu_only


@pytest.fixture(params=[1, 2])
def threads(request):
    if request.param > numba.config.NUMBA_NUM_THREADS:
        pytest.skip("the machine has one core")
    before = numba.get_num_threads()
    numba.set_num_threads(request.param)
    yield request.param
    numba.set_num_threads(before)


@jit
def count_turn(i, worker, turns, taken):
    turns[i] += 1
    taken[worker, 0] += 1


@jit
def count_turns(count, turns, taken):
    parallel_for_workers(count_turn, count, (turns, taken))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1000])
def test_every_turn_runs_once(count, threads):
    turns, taken = np.zeros(count + 1, np.int64), np.zeros((threads, LINE), np.int64)
    assert worker_count() == threads
    count_turns(count, turns, taken)
    assert (turns[:count] == 1).all()
    assert turns[count] == 0
    assert taken[:, 0].sum() == count  # no two workers with one number


@jit
def wait_for_the_others(i, done):
    if i == 0:
        while done[1:, 0].sum() < len(done) - 1:
            done[0, 1] += 1  # or the sum might be taken once
    done[i, 0] = 1


@jit
def run_waiting(done):
    parallel_for(wait_for_the_others, len(done), (done,))


def test_a_worker_that_is_done_takes_turns_of_others(threads):
    if threads == 1:
        return
    done = np.zeros((6, LINE), np.int64)
    run_waiting(done)  # for ever, if turns 1 and 2 waited for the worker of turn 0
    assert done[:, 0].all()


@jit
def weigh(i, table, pairs, shape, weights, scale, negative, offset):
    keys, values = pairs
    total = np.float32(0)
    for j in range(shape[1]):
        total += table[i, j] * values[keys[j]]
    total = total * scale + np.float32(weights[0] * weights[1][1]) + offset
    table[i, 0] = -total if negative else total


@jit
def weigh_all(table, keys, values, scale, negative, offset):
    """Arrays of several types and axes, tuples, tuples in tuples, numbers, constants."""
    parallel_for(
        weigh,
        len(table),
        (table, (keys, values), table.shape, (0.5, (1, 2)), scale, negative, offset),
    )


@pytest.mark.parametrize("negative", [False, True])
def test_arguments_of_all_kinds(negative, threads):
    rng = np.random.default_rng(1)
    table = rng.normal(size=(7, 5)).astype(np.float32)
    keys, values = rng.permutation(5), rng.normal(size=5)
    expected = (table @ values[keys] * 3 + 0.5 * 2 + 4) * (-1 if negative else 1)
    weigh_all(table, keys, values, np.float32(3), negative, 4)
    np.testing.assert_allclose(table[:, 0], expected, rtol=1e-5)


@jit
def add_row(i, first, table, total):
    total[i] += table[first + i].sum()


@jit
def add_rows(table, total):
    """Two loops of one task; a number of another type than the task takes is converted."""
    half = len(total) // 2
    parallel_for(add_row, half, (0, table, total))
    parallel_for(add_row, len(total) - half, (np.int32(half), table[:], total[half:]))


def test_several_loops(threads):
    table, total = np.arange(35.0).reshape(7, 5), np.ones(7)
    add_rows(table, total)
    assert total.tolist() == (table.sum(axis=1) + 1).tolist()


@intrinsic
def owner(typingctx, array):
    """The address of what counts an array's references; 0 where nothing does."""

    def generate(context, builder, signature, arguments):
        found = context.make_array(array)(context, builder, arguments[0])
        return builder.ptrtoint(found.meminfo, ir.IntType(64))

    return types.int64(array), generate


@jit
def _note_owners(i, pair, single, owners):
    part = pair[1][1:]
    owners[i] = owner(pair[0]), owner(part), owner(single)


@jit
def _owners(first, second, owners):
    parallel_for(_note_owners, len(owners), ((first, second), second, owners))
    return owner(first)


def test_no_references_are_counted():
    """The counter would be one for all threads, each of which would wait for the others."""
    arrays = np.arange(4.0), np.arange(5.0)
    owners = np.full((3, 3), -1)
    assert _owners(*arrays, owners) != 0
    assert (owners == 0).all()


SCRIPT = """
    import numba
    import numpy as np
    from caffe.glog import install
    install()
    from caffe.kernels.cpu.jit import jit
    from caffe.kernels.cpu.parallel import parallel_for

    @jit
    def square(i, x, factor):
        x[i] = factor * i * i

    @jit
    def squares(x, factor):
        parallel_for(square, x.size, (x, factor))

    x = np.full(100, np.nan)
    squares(x, 0.5)
    assert (x == 0.5 * np.arange(100) ** 2).all()
    print(numba.threading_layer())
    """


def run(script, folder, layer):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(folder), "NUMBA_THREADING_LAYER": layer}
    done = subprocess.run(
        [sys.executable, script], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [layer]
    return done.stderr


@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_the_cached_code_runs_under_any_layer(tmp_path, layer):
    if layer == "omp":
        pytest.importorskip("numba.np.ufunc.omppool", exc_type=ImportError)
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    assert "Compiling kernels" in run(script, tmp_path, layer)
    assert run(script, tmp_path, layer) == ""
    assert run(script, tmp_path, "workqueue") == ""
