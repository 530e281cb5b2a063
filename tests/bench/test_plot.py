"""bench.plot: the picture of the shares."""

import pytest

pytest.importorskip("matplotlib")

from bench.plot import plot_shares


def test_equal_shares_make_an_equal_picture(tmp_path):
    shares = {"gemm, 512 (1)": {"numba-caffe": 0.9, "NumPy": 0.8, "PyTorch": 0.7}, "other": {}}
    paths = [tmp_path / "images" / "one.svg", tmp_path / "two.svg"]
    for path in paths:
        plot_shares(shares, path)
    one, two = (path.read_text() for path in paths)
    assert one == two
    for words in ("gemm, 512 (1)", "other", "numba-caffe", "100%"):
        assert f"<!-- {words} -->" in one
