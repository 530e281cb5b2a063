"""Pooling: golden records, output lengths, gradients, parameter mistakes."""

import numpy as np
import pytest
from layer_testing import check_gradient, make_layer, run_golden, set_up

from caffe.errors import CaffeError


def image(*shape):
    """Distinct values, far enough apart that a step of the gradient check changes no maximum."""
    count = int(np.prod(shape))
    return (np.random.default_rng(5).permutation(count).reshape(shape) / 10).astype(np.float32)


def pooling(text):
    return make_layer(f'name: "pool" type: "Pooling" pooling_param {{ {text} }}')


@pytest.mark.parametrize(
    "name",
    [
        "pool_ave",
        "pool_global",
        "pool_max_ceil",
        "pool_max_floor",
        "pool_max_hw",
        "pool_max_lenet",
        "pool_max_mask_top",
        "pool_max_overlap_pad",
    ],
)
def test_golden(name):
    run_golden(name)


@pytest.mark.parametrize("pool", ["MAX", "AVE"])
@pytest.mark.parametrize(
    "window",
    [
        "kernel_size: 2 stride: 2",
        "kernel_size: 3 stride: 2",
        "kernel_size: 3 stride: 2 pad: 1",
        "kernel_h: 2 kernel_w: 3 stride_h: 2 stride_w: 1 pad_h: 1 pad_w: 2 round_mode: FLOOR",
        "global_pooling: true",
    ],
)
def test_gradient(pool, window):
    check_gradient(pooling(f"pool: {pool} {window}"), [image(2, 2, 5, 6)])


def test_gradient_ignores_the_mask_top():
    layer = pooling("kernel_size: 2 stride: 2")
    check_gradient(layer, [image(2, 2, 4, 6)], num_top=2, weighted_tops=1)


@pytest.mark.parametrize(
    ("window", "pooled"),
    [
        ("kernel_size: 2 stride: 2", (4, 3)),
        ("kernel_size: 2 stride: 2 round_mode: FLOOR", (3, 3)),
        ("kernel_size: 3 stride: 2", (3, 3)),
        ("kernel_size: 3 stride: 2 round_mode: FLOOR", (3, 2)),
        # Rounding up alone would give 5 rows, the last one in the padding.
        ("kernel_size: 2 stride: 2 pad: 1", (4, 4)),
        ("kernel_h: 7 kernel_w: 1", (1, 6)),
        ("kernel_h: 8 kernel_w: 7 stride: 2", (1, 1)),
        ("global_pooling: true", (1, 1)),
    ],
)
def test_output_shape(window, pooled):
    _, tops = set_up(pooling(window), [image(1, 2, 7, 6)])
    assert tops[0].shape == (1, 2, *pooled)


def test_mask_top_holds_the_index_in_the_plane():
    values = np.zeros((1, 2, 4, 4))
    values[0, 1, 1, 2] = 7
    layer = pooling("kernel_size: 4")
    bottoms, tops = set_up(layer, [values], num_top=2)
    layer.forward(bottoms, tops)
    assert tops[0].data.tolist() == [[[[0]], [[7]]]]
    assert tops[1].data.tolist() == [[[[0]], [[6]]]]


def test_global_pooling_follows_the_bottom():
    layer = pooling("pool: AVE global_pooling: true")
    bottoms, tops = set_up(layer, [image(1, 1, 3, 3)])
    bottoms[0].reshape(1, 1, 5, 4)
    bottoms[0].data[...] = 2
    layer.reshape(bottoms, tops)
    layer.forward(bottoms, tops)
    assert tops[0].data.tolist() == [[[[2]]]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "kernel_size"),
        ("kernel_size: 0", "kernel_size"),
        ("kernel_h: 2", "both kernel_h and kernel_w"),
        ("kernel_size: 2 kernel_h: 2 kernel_w: 2", "either kernel_size or both"),
        ("kernel_size: 3 pad: 1 pad_h: 1", "either pad or both pad_h and pad_w"),
        ("kernel_size: 3 stride: 1 stride_w: 1", "either stride or both"),
        ("kernel_size: 3 stride: 0", "stride must be above 0"),
        ("kernel_size: 3 pad: 3", "pad .* below the kernel"),
        ("global_pooling: true kernel_size: 3", "leave it out"),
        ("global_pooling: true pad: 1", "pad 0 and stride 1"),
        ("global_pooling: true stride: 2", "pad 0 and stride 1"),
        ("pool: STOCHASTIC kernel_size: 2", "STOCHASTIC is not supported yet"),
        ("kernel_size: 9", "kernel of 9 does not fit into the bottom's height, 6"),
        ("kernel_size: 1 stride: 2", "round_mode: FLOOR"),
    ],
)
def test_mistakes(text, message):
    with pytest.raises(CaffeError, match=f"layer 'pool' .*{message}"):
        set_up(pooling(text), [image(1, 1, 6, 7)])


def test_needs_four_axes():
    with pytest.raises(CaffeError, match="four axes"):
        set_up(pooling("kernel_size: 2"), [image(6, 6)])


def test_only_max_has_a_mask():
    with pytest.raises(CaffeError, match="only pool: MAX"):
        set_up(pooling("pool: AVE kernel_size: 2"), [image(1, 1, 6, 6)], num_top=2)
