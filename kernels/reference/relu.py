"""ReLU with a slope for negative values, by definition. Flat arrays."""

import numpy as np


def relu_forward(bottom: np.ndarray, top: np.ndarray, negative_slope: float) -> None:
    """top = max(bottom, 0) + negative_slope * min(bottom, 0)."""
    x = bottom.astype(np.float64)
    top[:] = np.maximum(x, 0) + negative_slope * np.minimum(x, 0)


def relu_backward(
    bottom: np.ndarray, top_diff: np.ndarray, bottom_diff: np.ndarray, negative_slope: float
) -> None:
    """bottom_diff = top_diff * (1 where bottom > 0, else negative_slope)."""
    bottom_diff[:] = top_diff * np.where(bottom > 0, 1.0, negative_slope)
