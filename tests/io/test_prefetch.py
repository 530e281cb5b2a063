"""The prefetching thread: order, errors, and that it always ends."""

import gc
import subprocess
import sys
import threading
import time
import weakref

import pytest

from caffe.errors import CaffeError
from caffe.io.prefetch import Prefetcher


class Counter:
    """Fills batches, which are lists, with 0, 1, 2, ...; fails at a given number."""

    def __init__(self, fail_at=-1):
        self.number = 0
        self.fail_at = fail_at

    def fill(self, batch):
        if self.number == self.fail_at:
            raise CaffeError(f"number {self.number} is bad")
        batch[:] = [self.number]
        self.number += 1


def prefetch(depth, **options):
    return Prefetcher(Counter(**options).fill, [[] for _ in range(depth)])


def wait_until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_batches_come_in_order_and_go_round(depth):
    prefetcher = prefetch(depth)
    seen = set()
    for i in range(50):
        batch = prefetcher.get()
        assert batch == [i]
        seen.add(id(batch))
        prefetcher.recycle(batch)
    assert len(seen) == depth
    prefetcher.close()


def test_no_more_than_depth_batches_are_made_ahead():
    counter = Counter()
    prefetcher = Prefetcher(counter.fill, [[] for _ in range(3)])
    wait_until(lambda: counter.number == 3)
    time.sleep(0.02)
    assert counter.number == 3
    prefetcher.close()


def test_the_thread_works_when_half_of_the_batches_are_free():
    counter = Counter()
    prefetcher = Prefetcher(counter.fill, [[] for _ in range(4)])
    wait_until(lambda: counter.number == 4)
    prefetcher.recycle(prefetcher.get())
    time.sleep(0.02)
    assert counter.number == 4
    prefetcher.recycle(prefetcher.get())
    wait_until(lambda: counter.number == 6)
    assert [prefetcher.get() for _ in range(4)] == [[2], [3], [4], [5]]
    prefetcher.close()


def test_error_is_raised_in_its_turn_and_again():
    prefetcher = prefetch(4, fail_at=2)
    for i in range(2):
        assert prefetcher.get() == [i]
    for _ in range(2):
        with pytest.raises(CaffeError, match="number 2 is bad"):
            prefetcher.get()
    prefetcher.close()


@pytest.mark.parametrize("taken", [0, 1, 3])
def test_close_ends_the_thread_whatever_it_waits_for(taken):
    prefetcher = prefetch(3)
    for _ in range(taken):
        prefetcher.get()
    prefetcher.close()
    prefetcher.close()
    assert not prefetcher._thread.is_alive()


def test_get_after_close_is_an_error():
    prefetcher = prefetch(1)
    prefetcher.get()
    prefetcher.close()
    with pytest.raises(CaffeError, match="thread that prefetches data has ended"):
        prefetcher.get()


def test_thread_ends_when_the_prefetcher_is_collected():
    prefetcher = prefetch(2)
    thread = prefetcher._thread
    reference = weakref.ref(prefetcher)
    del prefetcher
    gc.collect()
    assert reference() is None
    wait_until(lambda: not thread.is_alive())


def test_many_prefetchers_leave_no_threads():
    before = threading.active_count()
    for prefetcher in [prefetch(2) for _ in range(20)]:
        prefetcher.close()
    assert threading.active_count() == before


SCRIPT = """
from caffe.io.prefetch import Prefetcher
import os
def fill(batch):
    batch[:] = range(1000)
prefetcher = Prefetcher(fill, [[] for _ in range(4)])
prefetcher.get()
{then}
"""
FORK = """
if os.fork() == 0:
    try:
        while True:
            prefetcher.get()
    except Exception as error:
        print(error)
    os._exit(0)
os.wait()
"""


def run(then):
    return subprocess.run(
        [sys.executable, "-c", SCRIPT.format(then=then)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("then", ["", "raise SystemExit(0)"])
def test_interpreter_ends_with_the_thread_at_work(then):
    done = run(then)
    assert (done.returncode, done.stderr) == (0, "")


def test_forked_process_gets_an_error_rather_than_waiting_for_ever():
    assert "left behind by a fork" in run(FORK).stdout
