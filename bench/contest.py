"""Contestants: programs timed side by side, each in a process of its own, their rounds interleaved.

In one process, one program's settings, threads and memory would be the other's too. A contestant
sets itself up, then calls `serve`: from there it waits, asleep, until it is asked for a round.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parent.parent
K = TypeVar("K", bound=Hashable)  # what contestants are called by
_PAUSE = 0.03  # seconds, for the threads of the contestant before to fall asleep
_THREADS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class ContestantFailed(Exception):
    """A program ended before it had done its part; its own words are on stderr."""


class Contestant:
    """A process that runs `python -m MODULE ARGUMENTS`, on so many threads.

    Raises ContestantFailed, from here or from the methods, where that process ends.
    """

    def __init__(self, threads: int, module: str, *arguments: str | Path):
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=ROOT,
            env=os.environ | {"GLOG_minloglevel": "2"} | dict.fromkeys(_THREADS, str(threads)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._read()

    def _read(self) -> str:
        assert self._process.stdout is not None  # a pipe, as asked for
        line = self._process.stdout.readline()
        if not line:
            raise ContestantFailed(" ".join(map(str, self._process.args)))  # type: ignore[arg-type]
        return line.strip()

    def _ask(self, question: str) -> float:
        assert self._process.stdin is not None
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        return float(self._read())

    def seconds(self, times: int) -> float:
        """How long one of `times` steps took."""
        return self._ask(f"run {times}") / times

    def peak_memory(self) -> float:
        """The most memory that the process has held so far, in MiB."""
        return self._ask("memory")

    def end(self) -> None:
        """End the process."""
        self._process.communicate()


def interleave(contestants: dict[K, Contestant], rounds: int, times: int) -> dict[K, list[float]]:
    """Seconds a step of each contestant, one number a round of so many steps."""
    seconds: dict[K, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            time.sleep(_PAUSE)
            seconds[name].append(contestant.seconds(times))
    return seconds


def serve(
    run: Callable[[int], object],
    warm_up: int,
    clock: Callable[[], float] = time.perf_counter,
) -> None:
    """Be a contestant, until stdin ends: run(n) does n steps.

    Each round begins with `warm_up` steps that are not timed, after which caches, threads and
    prefetched batches are as they are in the midst of a training.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    run(warm_up)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        question, *times = line.split()
        if question == "memory":
            answer = _peak_memory()
        else:
            run(warm_up)
            started = clock()
            run(int(times[0]))
            answer = clock() - started
        print(answer, file=answers, flush=True)


def _peak_memory() -> float:
    # getrusage's ru_maxrss would count what the parent held when it started this process.
    status = Path("/proc/self/status").read_text().splitlines()
    [line] = [line for line in status if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def calls(step: Callable[[], object]) -> Callable[[int], None]:
    """A `run` for `serve` that calls `step` so many times."""

    def run(times: int) -> None:
        for _ in range(times):
            step()

    return run


def arguments(count: int) -> Sequence[str]:
    """The arguments that this program was given as a contestant."""
    given = sys.argv[1:]
    if len(given) != count:
        sys.exit(f"{sys.argv[0]} is started by bench.lenet, with {count} arguments")
    return given
