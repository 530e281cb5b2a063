"""Fields that have moved: inputs, BatchNorm's parameters, data transformation."""

from upgrade_testing import net, refusal, upgraded

from caffe.proto import upgrade


def test_inputs():
    dims = upgraded(
        "name: 'n' input: 'a' input: 'b' input_dim: [1, 2, 3, 4, 5, 6, 7, 8] layer { name: 'l' }"
    )
    assert dims == net(
        "name: 'n' layer { name: 'input' type: 'Input' top: 'a' top: 'b' input_param { "
        "shape { dim: [1, 2, 3, 4] } shape { dim: [5, 6, 7, 8] } } } layer { name: 'l' }"
    )
    shapes = upgraded("input: 'a' input_shape { dim: [7, 8] }")
    assert shapes == net(
        "layer { name: 'input' type: 'Input' top: 'a' input_param { shape { dim: [7, 8] } } }"
    )
    assert refusal("input: 'a' input: 'b' input_dim: [1, 2, 3, 4]") == (
        "old: 2 inputs have 4 input_dim; give four for each"
    )
    assert refusal("input: 'a' input: 'b' input_shape { }") == (
        "old: 2 inputs have 1 input_shape; give one for each"
    )


def test_batch_norm(log):
    old = "layer { type: 'BatchNorm' param { lr_mult: 1 name: 'm' } param { } param { } }"
    zero = "lr_mult: 0 decay_mult: 0"
    assert upgraded_batch_norm(old) == net(
        f"layer {{ type: 'BatchNorm' param {{ name: 'm' {zero} }} param {{ {zero} }} "
        f"param {{ {zero} }} }}"
    )
    assert log == [
        "I Attempting to upgrade batch norm layers using deprecated params: old",
        "I Successfully upgraded batch norm layers using deprecated params.",
    ]


def upgraded_batch_norm(text):
    # Caffe, too, takes three params for a sign of the old form however they are set.
    batch_norm = net(text)
    assert upgrade.net_needs_upgrade(batch_norm)
    assert upgrade.upgrade_net(batch_norm, "old")
    return batch_norm


def test_transformation_in_a_place_that_is_no_longer_read(log):
    today = net("layer { name: 'd' type: 'Data' data_param { scale: 2 crop_size: 3 } }")
    upgrade.upgrade_net(today, "new")
    assert log == [
        "W new: layer 'd': scale, crop_size in data_param has no effect; "
        "it belongs in transform_param"
    ]
    assert today.layer[0].data_param.scale == 2
