"""PyTorch's side of bench/lenet.py: the same LeNet, the same training, on data in memory.

    python -m bench.lenet_torch WHAT FOLDER LAYOUT COMPILE

WHAT is train, test or memory: contestants (contest.py). LAYOUT is default (NCHW, SGD as it comes)
or channels_last (with fused SGD). COMPILE is eager or compile (torch.compile). Before it is timed,
each checks itself against the record that bench/lenet_caffe.py wrote.
"""

import itertools
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from bench.contest import arguments, calls, serve

WARM_UP = 8
TRAIN_BATCH, TEST_BATCH = 64, 100
TOLERANCE = 1e-4  # of the largest value of a blob


class LeNet(nn.Sequential):
    """The layers of examples/mnist/lenet_train_test.prototxt up to the scores."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.pool2 = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        self.ip1 = nn.Linear(800, 500)
        self.relu1 = nn.ReLU()
        self.ip2 = nn.Linear(500, 10)


class Training:
    """Trains LeNet as examples/mnist/lenet_solver.prototxt begins: rate 0.01, twice that for
    biases, momentum 0.9, weight decay 0.0005."""

    def __init__(self, record: Any, layout: torch.memory_format, fused: bool, compiled: bool):
        self.layout = layout
        self.net = LeNet()
        self.net.to(memory_format=layout)  # type: ignore[call-overload]
        with torch.no_grad():
            for name, parameter in self.parameters().items():
                parameter.copy_(torch.from_numpy(record[f"before_{name}"]))
        self.run = torch.compile(self.net) if compiled else self.net
        biases = [p for name, p in self.net.named_parameters() if name.endswith("bias")]
        weights = [p for name, p in self.net.named_parameters() if name.endswith("weight")]
        groups: list[dict[str, Any]] = [{"params": weights}, {"params": biases, "lr": 0.02}]
        self.optimizer = torch.optim.SGD(
            groups, lr=0.01, momentum=0.9, weight_decay=0.0005, fused=fused or None
        )

    def parameters(self) -> dict[str, torch.Tensor]:
        """By their names in the record: conv1's weight is conv10, its bias conv11."""
        kinds = {"weight": 0, "bias": 1}
        named = ((name.split("."), p) for name, p in self.net.named_parameters())
        return {f"{layer}{kinds[kind]}": p for (layer, kind), p in named}

    def batches(self, images: np.ndarray, labels: np.ndarray, size: int) -> list[Any]:
        """The data, cut into batches that lie in memory as this net likes them."""
        return [
            (image.contiguous(memory_format=self.layout), label)
            for image, label in zip(
                torch.from_numpy(images).split(size),
                torch.from_numpy(labels).long().split(size),
                strict=True,
            )
            if len(image) == size
        ]

    def step(self, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """One iteration; its loss."""
        data, label = batch
        self.optimizer.zero_grad()
        loss = functional.cross_entropy(self.run(data), label)
        loss.backward()
        self.optimizer.step()
        return loss

    def test(self, batch: tuple[torch.Tensor, torch.Tensor]) -> tuple[float, float]:
        """Accuracy and loss of a batch."""
        data, label = batch
        with torch.inference_mode():
            scores = self.run(data)
            right = (scores.argmax(1) == label).float().mean()
            return right.item(), functional.cross_entropy(scores, label).item()


def mnist(folder: Path, part: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The first images (count, 1, 28, 28), scaled as the example does, and their labels."""
    images = np.load(folder / f"{part}_images.npy", mmap_mode="r")[:count]
    labels = np.load(folder / f"{part}_labels.npy")[:count]
    return images.reshape(-1, 1, 28, 28) * np.float32(0.00390625), labels


def check_training(training: Training, record: Any) -> None:
    """Train once on the record's batch. Exits where the loss or a weight is another."""
    [batch] = training.batches(record["data"], record["label"], TRAIN_BATCH)
    _check("loss", training.step(batch).item(), record["loss"])
    for name, parameter in training.parameters().items():
        _check(f"{name} after one iteration", parameter.detach().numpy(), record[f"after_{name}"])


def _check(what: str, found: Any, wanted: np.ndarray) -> None:
    error = np.abs(found - wanted).max() / np.abs(wanted).max()
    if not error <= TOLERANCE:
        sys.exit(f"PyTorch and numba-caffe do not compute the same: the {what} differs by {error}")


def main() -> None:
    """Do what the command line says."""
    what, place, layout, compiling = arguments(4)
    folder, best = Path(place), layout == "channels_last"
    record = np.load(folder / "record.npz")
    training = Training(
        record,
        torch.channels_last if best else torch.contiguous_format,
        fused=best,
        compiled=compiling == "compile",
    )
    if what == "test":
        training.net.eval()
        batches = training.batches(*mnist(folder, "t10k", 10000), TEST_BATCH)
        accuracy, loss = np.array([training.test(batch) for batch in batches]).mean(axis=0)
        _check("test accuracy", accuracy, record["test_accuracy"])
        _check("test loss", loss, record["test_loss"])
        feed = itertools.cycle(batches)
        serve(calls(lambda: training.test(next(feed))), WARM_UP)
    else:
        check_training(training, record)
        # The memory of a training is that of its net: data in memory would count as PyTorch's.
        count = TRAIN_BATCH * 16 if what == "memory" else 60000
        feed = itertools.cycle(training.batches(*mnist(folder, "train", count), TRAIN_BATCH))
        serve(calls(lambda: training.step(next(feed))), WARM_UP)


if __name__ == "__main__":
    main()
