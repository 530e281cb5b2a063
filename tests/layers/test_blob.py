"""Blobs: shapes, memory that is kept or shared, and views that never go stale."""

import numpy as np
import pytest

from caffe.errors import CaffeError
from caffe.kernels.synced_memory import ALIGNMENT
from caffe.layers.blob import Blob

WAYS = [(Blob.data.fget, Blob.data_as), (Blob.diff.fget, Blob.diff_as)]


def test_shape_and_count() -> None:
    blob = Blob(2, 3, 4)
    assert (blob.shape, blob.count, blob.shape_text) == ((2, 3, 4), 24, "2 3 4 (24)")
    blob.reshape()
    assert (blob.shape, blob.count, blob.shape_text) == ((), 1, "(1)")
    blob.reshape(5, 0)
    assert (blob.count, blob.data.shape) == (0, (5, 0))
    assert Blob().count == 0


@pytest.mark.parametrize("shape", [(2, -1), (1,) * 33, (2**16, 2**16)])
def test_shapes_that_cannot_be(shape) -> None:
    blob = Blob(3)
    with pytest.raises(CaffeError, match="a blob cannot have the shape"):
        blob.reshape(*shape)
    assert (blob.shape, blob.count) == ((3,), 3)


@pytest.mark.parametrize(("array", "view"), WAYS, ids=["data", "diff"])
def test_views_are_the_same_memory_and_made_once(array, view) -> None:
    blob = Blob(2, 3, 4)
    flat = view(blob, -1)
    flat[:] = np.arange(24)
    np.testing.assert_array_equal(array(blob), np.arange(24).reshape(2, 3, 4))
    assert view(blob, -1) is flat
    assert view(blob, (6, 4)).shape == (6, 4)
    assert np.shares_memory(view(blob, (6, 4)), array(blob))
    assert array(blob) is array(blob)
    assert array(blob).ctypes.data % ALIGNMENT == 0


@pytest.mark.parametrize(("array", "view"), WAYS, ids=["data", "diff"])
@pytest.mark.parametrize("shape", [(4, 3, 2), (5,), (7, 8, 9)])
def test_a_reshape_makes_views_anew(array, view, shape) -> None:
    """To another shape of the same count, to fewer values (the memory stays) and to more."""
    blob = Blob(2, 3, 4)
    before = view(blob, -1)
    before[:] = 7
    blob.reshape(*shape)
    assert view(blob, -1).size == blob.count
    assert np.shares_memory(view(blob, -1), array(blob))
    kept = blob.count <= 24
    assert np.shares_memory(view(blob, -1), before) == kept
    assert (array(blob) == (7 if kept else 0)).all()


@pytest.mark.parametrize("name", ["data", "diff"])
def test_sharing_makes_views_anew(name) -> None:
    mine, other = Blob(2, 3), Blob(6)
    view = getattr(Blob, f"{name}_as")
    view(mine, -1)[:] = 1
    view(other, -1)[:] = 2
    getattr(mine, f"share_{name}")(other)
    assert (getattr(mine, name) == 2).all()
    view(mine, (3, 2))[1, 1] = 5
    assert getattr(other, name)[3] == 5
    view(mine, -1)[0] = 6
    assert getattr(other, name)[0] == 6


@pytest.mark.parametrize("name", ["data", "diff"])
def test_shared_memory_after_a_reshape(name) -> None:
    """It is still shared where it is large enough, and the owner's reshape does not take it."""
    mine, other = Blob(2, 3), Blob(6)
    view = getattr(Blob, f"{name}_as")
    getattr(mine, f"share_{name}")(other)
    mine.reshape(2, 2)
    view(mine, -1)[:] = 3
    assert getattr(other, name).tolist() == [3, 3, 3, 3, 0, 0]
    other.reshape(100)
    view(other, -1)[:] = 4
    assert (getattr(mine, name) == 3).all()


def test_a_deferred_diff_is_computed_before_a_view_of_it_is_given() -> None:
    blob = Blob(2, 2)
    before = blob.diff_as(-1)
    assert before.tolist() == [0, 0, 0, 0]
    blob.defer_diff(lambda: blob.diff.fill(3))
    assert blob.deferred_diff
    assert blob.diff_as(-1).tolist() == [3, 3, 3, 3]
    assert not blob.deferred_diff
    assert before.tolist() == [3, 3, 3, 3]


def test_data_and_diff_are_filled_not_replaced() -> None:
    blob = Blob(3)
    with pytest.raises(AttributeError):
        blob.data = np.zeros(3, np.float32)
    with pytest.raises(AttributeError):
        blob.diff = np.zeros(3, np.float32)
