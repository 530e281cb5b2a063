"""Shapes and windows for the pooling tests, such as the Pooling layer may ask for."""

from dataclasses import dataclass

from hypothesis import strategies as st

Pair = tuple[int, int]


@dataclass
class PoolingCase:
    bottom: tuple[int, ...]
    top: tuple[int, ...]
    kernel: Pair
    pad: Pair
    stride: Pair


@st.composite
def pooling_cases(draw) -> PoolingCase:
    """Every window overlaps the plane; the last may reach over its edge."""
    sides = []
    for _ in range(2):
        kernel = draw(st.integers(1, 4))
        pad = draw(st.integers(0, kernel - 1))
        stride = draw(st.integers(1, 4))
        length = draw(st.integers(max(kernel - 2 * pad, 1), 11))
        most = (length + pad - 1) // stride + 1  # windows that start inside the plane
        fitting = (length + 2 * pad - kernel) // stride + 1
        sides.append((length, draw(st.integers(min(fitting, most), most)), kernel, pad, stride))
    lengths, outputs, kernel, pad, stride = zip(*sides, strict=True)
    planes = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    return PoolingCase(planes + lengths, planes + outputs, kernel, pad, stride)
