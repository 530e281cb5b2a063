"""Softmax loss, forward and backward together: LeNet's 64 x 10 and CaffeNet's 256 x 1000."""

from typing import Any

import numpy as np
import pytest

from bench.aligned import empty, random
from bench.rivals import THREADS, compare, torch
from caffe.kernels import cpu

SIZES = {"LeNet": (64, 10), "CaffeNet": (256, 1000)}


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("name", SIZES)
def test_softmax_loss(benchmark: Any, name: str, threads: int) -> None:
    images, classes = SIZES[name]
    bottom = random(images, classes, 1)
    label = np.random.default_rng(1).integers(0, classes, (images, 1)).astype(np.float32)
    prob, diff = empty(*bottom.shape), empty(*bottom.shape)
    loss, status, weight = empty(1), empty(2, dtype=np.int32), np.ones(1, np.float32)
    normalizer = float(images)
    rows, columns = np.arange(images), label[:, 0].astype(np.int64)

    def ours() -> None:
        cpu.softmax_loss_forward(bottom, label, cpu.NO_LABEL, normalizer, prob, loss, status)
        cpu.softmax_loss_backward(prob, label, cpu.NO_LABEL, weight, normalizer, status, diff)

    def numpy() -> np.ndarray:
        scores = bottom[:, :, 0]
        powers = np.exp(scores - scores.max(1, keepdims=True))
        gradient = powers / powers.sum(1, keepdims=True)
        -np.log(gradient[rows, columns]).mean()
        gradient[rows, columns] -= 1
        gradient /= images
        return gradient

    rivals: dict[str, Any] = {"NumPy": numpy}
    if torch is not None:
        x, wanted = torch.from_numpy(bottom[:, :, 0]), torch.from_numpy(columns)
        x.requires_grad_()

        def pytorch() -> Any:
            loss = torch.nn.functional.cross_entropy(x, wanted)
            return torch.autograd.grad(loss, x)[0]

        rivals["PyTorch"] = pytorch
    compare(benchmark, "softmax loss", name, threads, ours, diff, rivals)
