"""Softmax over the middle axis of (outer, channels, inner) arrays, by definition."""

import numpy as np


def softmax_forward(bottom: np.ndarray, top: np.ndarray) -> None:
    """top = exp(bottom) / sum over channels of exp(bottom); the shift changes nothing but range."""
    x = bottom.astype(np.float64)
    power = np.exp(x - x.max(axis=1, keepdims=True))
    top[:] = power / power.sum(axis=1, keepdims=True)


def softmax_backward(top: np.ndarray, top_diff: np.ndarray, bottom_diff: np.ndarray) -> None:
    """bottom_diff = top * (top_diff - sum over channels of top_diff * top)."""
    p, g = top.astype(np.float64), top_diff.astype(np.float64)
    bottom_diff[:] = p * (g - (g * p).sum(axis=1, keepdims=True))
