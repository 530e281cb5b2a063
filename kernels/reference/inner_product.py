"""Inner product (fully connected layer) and its gradients: top = bottom W^T + bias."""

import numpy as np


def inner_product_forward(
    bottom: np.ndarray, weight: np.ndarray, bias: np.ndarray, top: np.ndarray, transpose: bool
) -> None:
    """top = bottom W^T + bias"""
    rows = _rows(weight, transpose)
    top[...] = bottom.astype(np.float64) @ rows.T + (bias if bias.size else 0.0)


def inner_product_backward_data(
    top_diff: np.ndarray, weight: np.ndarray, bottom_diff: np.ndarray, transpose: bool
) -> None:
    """bottom_diff = top_diff W"""
    bottom_diff[...] = top_diff.astype(np.float64) @ _rows(weight, transpose)


def inner_product_backward_weight(
    bottom: np.ndarray, top_diff: np.ndarray, weight_diff: np.ndarray, transpose: bool
) -> None:
    """W_diff += top_diff^T bottom"""
    product = top_diff.T.astype(np.float64) @ bottom
    weight_diff += product.T if transpose else product


def inner_product_backward_bias(top_diff: np.ndarray, bias_diff: np.ndarray) -> None:
    """bias_diff += sum of top_diff's rows"""
    bias_diff += top_diff.sum(axis=0, dtype=np.float64)


def _rows(weight: np.ndarray, transpose: bool) -> np.ndarray:
    """W as (N, K)."""
    return weight.T if transpose else weight
