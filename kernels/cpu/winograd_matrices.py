"""Winograd's matrices: a short convolution with as few multiplications as values come in.

    y[i] = sum over k of g[k] * d[i + k]     i < m, k < r         directly: m * r products
    y    = A_T @ ((G @ g) * (B_T @ d))                            here: m + r - 1

Multiplying two polynomials needs their values at as many points as the product has coefficients:
evaluate both, multiply value by value, interpolate (Toom and Cook). Turned around, as matrices are
transposed, the same products give the sums above.

Winograd, Arithmetic Complexity of Computations, 1980; Lavin and Gray, Fast Algorithms for
Convolutional Neural Networks, 2016.
"""

from fractions import Fraction

import numpy as np

SIDE = 8  # values that come in, along an axis: a vector of eight floats
# Small numbers and their inverses, in pairs: the larger a point's powers, the larger the rounding.
POINTS = tuple(map(Fraction, ("0", "1", "-1", "-1/2", "1/2", "-2", "2")))  # and infinity

Matrix = list[list[Fraction]]


def winograd_matrices(kernel: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A_T (m, SIDE), G (SIDE, kernel) and B_T (SIDE, SIDE), float64, with m = SIDE - kernel + 1."""
    evaluate = _powers(SIDE)
    interpolate = _inverse(evaluate)
    b_t: Matrix = [[interpolate[j][i] for j in range(SIDE)] for i in range(SIDE)]
    g = _powers(kernel)
    # Whole numbers in B_T, their denominators in G, which is applied to the weights only.
    for i, point in enumerate(POINTS):
        denominator = Fraction(1)
        for other in POINTS:
            if other != point:
                denominator *= point - other
        b_t[i] = [value * denominator for value in b_t[i]]
        g[i] = [value / denominator for value in g[i]]
    return _floats(_powers(SIDE - kernel + 1)).T, _floats(g), _floats(b_t)


def _powers(count: int) -> Matrix:
    """Row p: what the coefficients count for in a polynomial's value at point p. At infinity only
    the last one counts."""
    rows = [[point**k for k in range(count)] for point in POINTS]
    return [*rows, [Fraction(int(k == count - 1)) for k in range(count)]]


def _inverse(matrix: Matrix) -> Matrix:
    """By Gauss and Jordan, exactly."""
    size = len(matrix)
    rows = [[*row, *(Fraction(int(i == j)) for j in range(size))] for i, row in enumerate(matrix)]
    for i in range(size):
        pivot = next(j for j in range(i, size) if rows[j][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for j in range(size):
            if j != i:
                rows[j] = [a - rows[j][i] * b for a, b in zip(rows[j], rows[i], strict=True)]
    return [row[size:] for row in rows]


def _floats(matrix: Matrix) -> np.ndarray:
    return np.array([[float(value) for value in row] for row in matrix])
