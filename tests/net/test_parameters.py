"""Parameters shared between layers by name."""

import numpy as np
import pytest
from net_testing import fill_inputs, inner_product, inputs, loss, make_net

from caffe import CaffeError

DATA = inputs(data=(4, 3), label=(4,))
NAMED = 'param { name: "w" } param { name: "b" }'


def test_shared_parameters_are_one_memory_and_learn_once() -> None:
    net = make_net(
        DATA
        + inner_product("a", "data", "a", 3, NAMED)
        + inner_product("b", "a", "b", 3, NAMED)
        + loss("b")
    )
    assert len(net.learnable_params) == 2
    assert np.shares_memory(net.params["a"][0].data, net.params["b"][0].data)
    fill_inputs(net)
    net.forward_backward()
    shared = net.params["a"][0].diff.copy()
    np.testing.assert_array_equal(shared, net.params["b"][0].diff)
    # The gradient of a shared weight is the sum of what each use alone would give.
    alone = make_net(
        DATA + inner_product("a", "data", "a", 3) + inner_product("b", "a", "b", 3) + loss("b")
    )
    fill_inputs(alone)
    for name in ("a", "b"):
        for blob, source in zip(alone.params[name], net.params[name], strict=True):
            blob.data[...] = source.data
    alone.forward_backward()
    total = alone.params["a"][0].diff + alone.params["b"][0].diff
    np.testing.assert_allclose(shared, total, rtol=1e-5, atol=1e-7)


def test_multipliers_come_from_whoever_gives_them() -> None:
    first = 'param { name: "w" }'
    second = 'param { name: "w" lr_mult: 3 decay_mult: 0.5 }'
    net = make_net(
        DATA + inner_product("a", "data", "a", 3, first) + inner_product("b", "a", "b", 3, second)
    )
    assert net.params_lr == [3, 1, 1]
    assert net.params_weight_decay == [0.5, 1, 1]


def test_multipliers_must_not_contradict() -> None:
    with pytest.raises(CaffeError, match="layer 'b'.*'w' has mismatched lr_mult: 2 .* 3 here"):
        make_net(
            DATA
            + inner_product("a", "data", "a", 3, 'param { name: "w" lr_mult: 2 }')
            + inner_product("b", "a", "b", 3, 'param { name: "w" lr_mult: 3 }')
        )


def test_strict_sharing_wants_one_shape() -> None:
    text = DATA + inner_product("a", "data", "a", 3, 'param { name: "w" }')
    with pytest.raises(CaffeError, match=r"layer 'b'.*shape mismatch.*3 3 \(9\).*9 1 \(9\)"):
        make_net(
            text + inputs(one=(4, 1)).replace('"input"', '"more"')
            + inner_product("b", "one", "b", 9, 'param { name: "w" }')
        )  # fmt: skip


def test_permissive_sharing_wants_one_count() -> None:
    text = DATA + inputs(one=(4, 1)).replace('"input"', '"more"')
    text += inner_product("a", "data", "a", 3, 'param { name: "w" }')
    net = make_net(
        text + inner_product("b", "one", "b", 9, 'param { name: "w" share_mode: PERMISSIVE }')
    )
    assert np.shares_memory(net.params["a"][0].data, net.params["b"][0].data)
    with pytest.raises(CaffeError, match=r"count mismatch.*3 3 \(9\).*8 1 \(8\)"):
        make_net(
            text + inner_product("b", "one", "b", 8, 'param { name: "w" share_mode: PERMISSIVE }')
        )
