"""Vector helpers, by definition. Flat arrays."""

import numpy as np


def axpy(alpha: float, x: np.ndarray, y: np.ndarray) -> None:
    """y = alpha x + y."""
    y[:] = alpha * x.astype(np.float64) + y


def scale(alpha: float, x: np.ndarray) -> None:
    """x = alpha x."""
    x[:] = alpha * x.astype(np.float64)


def copy(x: np.ndarray, y: np.ndarray) -> None:
    """y = x."""
    y[:] = x


def fill(value: float, x: np.ndarray) -> None:
    """Set every value of x."""
    x[:] = value


def add(x: np.ndarray, y: np.ndarray, out: np.ndarray) -> None:
    """out = x + y; out may be either of them."""
    out[:] = x.astype(np.float64) + y


def asum(x: np.ndarray) -> float:
    """The sum of the magnitudes."""
    return float(np.abs(x.astype(np.float64)).sum())


def sum_of_squares(x: np.ndarray) -> float:
    """The sum of the squares."""
    return float((x.astype(np.float64) ** 2).sum())


def dot(x: np.ndarray, y: np.ndarray) -> float:
    """The sum of the products."""
    return float((x.astype(np.float64) * y).sum())
