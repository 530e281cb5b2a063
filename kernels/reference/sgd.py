"""The update of stochastic gradient descent, by definition. Flat arrays."""

import numpy as np

SEGMENT = 1024  # values; parameters begin at multiples of it


def sgd_update(
    data: np.ndarray,
    diff: np.ndarray,
    history: np.ndarray,
    rate: np.ndarray,
    rate_mult: np.ndarray,
    decay: np.ndarray,
    momentum: float,
    l1: bool,
    loss: np.ndarray,
) -> None:
    """history = r * (diff + d * (sign of data if l1 else data)) + momentum * history;
    diff = history; data = data - diff, where r = rate[0] * rate_mult and d = decay, one number for
    each SEGMENT values. rate: (1,). Nothing changes where the loss, (1,), is not finite."""
    if not np.isfinite(loss[0]):
        return
    rates, decays = np.repeat(rate[0] * rate_mult, SEGMENT), np.repeat(decay, SEGMENT)
    gradient = diff.astype(np.float64) + decays * (np.sign(data) if l1 else data)
    history[:] = rates * gradient + momentum * history
    diff[:] = history
    data -= diff
