"""LeNet's training on the GPU beside PyTorch, eager and as a CUDA graph.

All data lies on the GPU, on both sides. Ours is `solver.step`: batches, forward, backward and
update in one graph. PyTorch's eager takes ready batches in turn; its graph picks them in it.
"""

import itertools
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.contest import calls
from bench.gpu_tables import GRAPH
from bench.gpu_timing import Run, capture, medians
from bench.lenet import EAGER, OURS, TEST_BATCHES
from bench.lenet_caffe import lenet_solver, operations
from bench.lenet_torch import TOLERANCE, TRAIN_BATCH, Training, mnist
from caffe.proto.upgrade import read_solver_param
from caffe.solver import get_solver

ROUNDS, ROUND = 11, 0.1  # seconds
WARM_UP = 20  # iterations
CHECKED = 4  # batches that PyTorch's eager and graph train on before they are compared


def time_lenet(folder: Path) -> dict[str, Any]:
    """Seconds of an iteration by contestant, and of 10,000 with the tutorial's tests, with the
    accuracy that they reach. folder: what bench.lenet.prepare made."""
    record = np.load(folder / "record.npz")
    runs: dict[str, Run] = {OURS: ours(folder, record)}
    for name, (layout, _) in EAGER.items():
        runs |= theirs(name, layout, folder, record)
    seconds, accuracy = ten_thousand(folder)
    return {
        "iteration": medians(runs, ROUNDS, ROUND),
        "operations": operations(folder),
        "ten_thousand": seconds,
        "accuracy": accuracy,
    }


def ours(folder: Path, record: Any) -> Run:
    """Our solver, checked against the record."""
    solver = lenet_solver(folder)
    solver.param.display = 0
    solver.step(1)
    agree("our loss", solver.loss, record["loss"])
    for name, blobs in solver.net.params.items():
        for index, blob in enumerate(blobs):
            agree(f"our {name}{index}", blob.data, record[f"after_{name}{index}"])
    return solver.step


def theirs(name: str, layout: str, folder: Path, record: Any) -> dict[str, Run]:
    """PyTorch's training in this layout, eager and as a graph, checked against the record."""
    best = layout == "channels_last"
    form = torch.channels_last if best else torch.contiguous_format

    def make() -> Training:
        training = Training(record, form, fused=best, compiled=False)
        training.net.cuda()
        return training

    def on_gpu(batches: list[Any]) -> list[Any]:
        return [(data.cuda(), label.cuda()) for data, label in batches]

    checked, eager, graph = make(), make(), make()
    [batch] = on_gpu(checked.batches(record["data"], record["label"], TRAIN_BATCH))
    agree(f"{name}'s loss", checked.step(batch).item(), record["loss"])
    for which, parameter in checked.parameters().items():
        agree(f"{name}'s {which}", parameter.detach().cpu().numpy(), record[f"after_{which}"])

    images, labels = mnist(folder, "train", 60000)
    feed = itertools.cycle(on_gpu(eager.batches(images, labels, TRAIN_BATCH)))
    replay = capture(graph_step(graph, images, labels), times=1)
    for _ in range(CHECKED):
        eager.step(next(feed))
    replay()
    for which, parameter in graph.parameters().items():
        wanted = eager.parameters()[which].detach().cpu().numpy()
        agree(f"{name}'s {which} by a graph", parameter.detach().cpu().numpy(), wanted)
    return {name: calls(lambda: eager.step(next(feed))), name + GRAPH: calls(replay)}


def graph_step(training: Training, images: np.ndarray, labels: np.ndarray) -> Any:
    """An iteration on the next batch, wherever that is known on the GPU only."""
    [(data, label)] = training.batches(images, labels, len(images))
    data, label = data.cuda(), label.cuda()
    place = torch.arange(TRAIN_BATCH, device="cuda")

    def step() -> None:
        training.step((data[place], label[place]))
        place.add_(TRAIN_BATCH).remainder_(len(data))

    return step


def agree(what: str, found: Any, wanted: Any) -> None:
    """Stop where the two are not the same number."""
    largest = np.abs(wanted).max()
    np.testing.assert_allclose(found, wanted, TOLERANCE, TOLERANCE * largest, err_msg=what)


def ten_thousand(folder: Path) -> tuple[float, float]:
    """Seconds of the tutorial's whole training, tests and snapshots included, once its kernels are
    compiled and its data was read from the disk; and its accuracy."""
    param = read_solver_param(str(folder / "lenet_solver.prototxt"))
    warm = get_solver(param)
    warm.step(WARM_UP)
    solver = get_solver(param)
    started = time.perf_counter()
    solver.solve()
    seconds = time.perf_counter() - started
    net = solver.test_nets[0]
    batches = []
    for _ in range(TEST_BATCHES):
        net.forward_loss()
        batches.append(float(net.blobs["accuracy"].data))
    return seconds, float(np.mean(batches))
