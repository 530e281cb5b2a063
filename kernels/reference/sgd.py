"""The update of stochastic gradient descent, by definition. Flat arrays."""

import numpy as np


def sgd_update(
    data: np.ndarray,
    diff: np.ndarray,
    history: np.ndarray,
    rate: float,
    momentum: float,
    decay: float,
    l1: bool,
) -> None:
    """history = rate * (diff + decay * (sign of data if l1 else data)) + momentum * history;
    diff = history; data = data - diff."""
    gradient = diff.astype(np.float64) + decay * (np.sign(data) if l1 else data)
    history[:] = rate * gradient + momentum * history
    diff[:] = history
    data -= diff
