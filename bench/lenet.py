"""Whole training: LeNet as `caffe train` runs it beside PyTorch.

    python -m bench.lenet

Prints medians of interleaved rounds, and writes them to build/bench/lenet.json for bench/report.py.
Ours is trained from the LMDB, PyTorch from batches that lie in memory. Before anything is timed,
each of PyTorch's variants is checked: from the same weights, the loss of the first batch, all
weights after one iteration, and loss and accuracy on the test images agree to 1e-4.
"""

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Hashable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from bench.contest import ROOT, Contestant, ContestantFailed, interleave
from bench.lenet_start import start_seconds

RESULTS = ROOT / "build" / "bench" / "lenet.json"
OURS, KERNELS = "numba-caffe", "numba-caffe, kernels alone"
TORCH = {
    "PyTorch": ("default", "eager"),
    "PyTorch, channels_last, fused SGD": ("channels_last", "eager"),
    "PyTorch, compiled": ("default", "compile"),
    "PyTorch, channels_last, fused SGD, compiled": ("channels_last", "compile"),
}
EAGER = {name: variant for name, variant in TORCH.items() if "compile" not in variant}
TEST_BATCHES = 100
K = TypeVar("K", bound=Hashable)  # what contestants are called by


def prepare(folder: Path) -> None:
    """Put the example, its databases and the record to check against into `folder`."""
    for name in ("lenet_solver.prototxt", "lenet_train_test.prototxt"):
        text = (ROOT / "examples" / "mnist" / name).read_text()
        (folder / name).write_text(text.replace("examples/mnist/", f"{folder}/"))
    _python("tools.create_mnist", f"--output={folder}")
    _python("bench.lenet_caffe", "record", str(folder))


def _python(*arguments: str) -> str:
    command = [sys.executable, "-m", *arguments]
    env = os.environ | {"GLOG_minloglevel": "2"}
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise ContestantFailed(" ".join(command))
    return done.stdout


@contextlib.contextmanager
def contest(entries: dict[K, tuple[Any, ...]]) -> Iterator[dict[K, Contestant]]:
    """The contestants of these names, each made of (threads, module, arguments...). Where
    torch.compile fails, as it does without g++, that one is reported and left out."""
    contestants: dict[K, Contestant] = {}
    try:
        for name, entry in entries.items():
            try:
                contestants[name] = Contestant(*entry)
            except ContestantFailed as error:
                if entry[-1] != "compile":
                    raise
                print(f"left out: torch.compile, which needs g++, has failed: {error}", flush=True)
        yield contestants
    finally:
        for contestant in contestants.values():
            contestant.end()


def torch_entries(
    what: str, folder: Path, threads: int, variants: dict[str, tuple[str, str]] = TORCH
) -> dict[str, tuple[Any, ...]]:
    """Entries of PyTorch's variants; none where it is not installed."""
    if importlib.util.find_spec("torch") is None:
        return {}
    return {
        name: (threads, "bench.lenet_torch", what, folder, *variant)
        for name, variant in variants.items()
    }


def time_training(folder: Path, cores: int) -> dict[int, dict[str, float]]:
    """Seconds of one iteration, by the number of threads and by contestant."""
    entries: dict[tuple[int, str], tuple[Any, ...]] = {}
    for threads in sorted({1, cores}):
        found = {OURS: (threads, "bench.lenet_caffe", "train", folder)}
        if threads == cores:
            found[KERNELS] = (threads, "bench.lenet_caffe", "kernels", folder)
        variants = TORCH if threads == cores else {"PyTorch": TORCH["PyTorch"]}
        found |= torch_entries("train", folder, threads, variants)
        entries |= {(threads, name): entry for name, entry in found.items()}
    seconds: dict[int, dict[str, float]] = {threads: {} for threads, _ in entries}
    for (threads, name), found_seconds in _medians(entries, rounds=20, times=20).items():
        seconds[threads][name] = found_seconds
    return seconds


def time_testing(folder: Path, cores: int) -> dict[str, float]:
    """Seconds of testing all 10,000 images, by contestant."""
    entries = {OURS: (cores, "bench.lenet_caffe", "test", folder)}
    entries |= torch_entries("test", folder, cores, EAGER)
    seconds = _medians(entries, rounds=8, times=TEST_BATCHES)
    return {name: TEST_BATCHES * batch for name, batch in seconds.items()}


def peak_memory(folder: Path, cores: int) -> dict[str, float]:
    """The most memory, in MiB, that each needs to train; PyTorch with 16 batches in memory only."""
    entries = {OURS: (cores, "bench.lenet_caffe", "train", folder)}
    entries |= torch_entries("memory", folder, cores, EAGER)
    with contest(entries) as contestants:
        interleave(contestants, rounds=1, times=200)
        return {name: contestant.peak_memory() for name, contestant in contestants.items()}


def _medians(entries: dict[K, tuple[Any, ...]], rounds: int, times: int) -> dict[K, float]:
    with contest(entries) as contestants:
        seconds = interleave(contestants, rounds, times)
    return {name: median(found) for name, found in seconds.items()}


def measure() -> dict[str, Any]:
    """Time everything, and print it. Raises ContestantFailed."""
    cores = len(os.sched_getaffinity(0))
    found: dict[str, Any] = {"machine": json.loads(_python("bench.machine"))}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        prepare(folder)
        found["operations"] = int(_python("bench.lenet_caffe", "operations", temporary))
        found["training"] = time_training(folder, cores)
        for threads, seconds in found["training"].items():
            _print(f"one iteration, threads: {threads}", seconds, "ms", 1e3)
        _print_shares(found, cores)
        found["testing"] = time_testing(folder, cores)
        _print("testing 10,000 images", found["testing"], "ms", 1e3)
        found["memory"] = peak_memory(folder, cores)
        _print("peak memory of a training", found["memory"], "MiB")
        warm = [start_seconds(folder) for _ in range(5)]
        found["start"] = {"warm": median(warm), "cold": start_seconds(folder, cold=True)}
        _print("from the command to the first iteration, by cache", found["start"], "s")
    return found


def _print(title: str, values: dict[str, float], unit: str, factor: float = 1) -> None:
    print(f"{title}:")
    for name, value in values.items():
        print(f"  {value * factor:8.2f} {unit}  {name}", flush=True)


def _print_shares(found: dict[str, Any], cores: int) -> None:
    seconds = found["training"][cores]
    reached = 1e-9 * found["operations"] / seconds[OURS]
    peak = found["machine"]["peak"][str(cores)]
    print(f"  {reached:.1f} GFLOP/s of {peak:.1f}: {reached / peak:.0%} of the peak")
    rest = 1 - seconds[KERNELS] / seconds[OURS]
    print(f"  {rest:.1%} of our iteration is the data pipeline's and Python's", flush=True)


def main() -> None:
    """Write what was measured to RESULTS; one line and exit code 1 where a program has failed."""
    try:
        found = measure()
    except ContestantFailed as error:
        sys.exit(f"this has failed, with its own words above: {error}")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
