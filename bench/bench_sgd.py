"""The update of SGD with momentum and weight decay: as many segments of parameters as LeNet's ip1
and CaffeNet's fc8 have."""

from typing import Any

import numpy as np
import pytest

from bench.aligned import empty, random
from bench.rivals import THREADS, compare, torch
from caffe.kernels import cpu

SIZES = {"LeNet ip1": 391 * cpu.SEGMENT, "CaffeNet fc8": 4000 * cpu.SEGMENT}
RATE, MOMENTUM, DECAY = 1e-4, 0.9, 5e-4


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("name", SIZES)
def test_sgd_update(benchmark: Any, name: str, threads: int) -> None:
    gradient = random(SIZES[name], seed=1)
    data, diff, history = random(SIZES[name]), random(SIZES[name], seed=1), empty(SIZES[name])
    history[:] = 0
    rate, loss = np.array([RATE], np.float32), np.ones(1, np.float32)
    rate_mult = np.ones(data.size // cpu.SEGMENT, np.float32)
    decay = np.full_like(rate_mult, DECAY)
    data_numpy, history_numpy = random(SIZES[name]), empty(SIZES[name])
    history_numpy[:] = 0

    def numpy() -> np.ndarray:
        np.multiply(history_numpy, MOMENTUM, out=history_numpy)
        np.add(history_numpy, RATE * (gradient + DECAY * data_numpy), out=history_numpy)
        return np.subtract(data_numpy, history_numpy, out=data_numpy)

    def ours() -> None:
        cpu.sgd_update(data, diff, history, rate, rate_mult, decay, MOMENTUM, False, loss)

    rivals: dict[str, Any] = {"NumPy": numpy}
    if torch is not None:
        weight = torch.nn.Parameter(torch.from_numpy(random(SIZES[name])))
        weight.grad = torch.from_numpy(gradient)
        optimizer = torch.optim.SGD([weight], RATE, MOMENTUM, weight_decay=DECAY, fused=True)

        def pytorch() -> Any:
            optimizer.step()
            return weight.detach()

        rivals["PyTorch, fused"] = pytorch
    compare(benchmark, "sgd update", name, threads, ours, data, rivals)
