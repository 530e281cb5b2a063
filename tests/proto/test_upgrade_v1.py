"""The V1 format: types from an enum, multipliers in lists."""

from upgrade_testing import net, refusal, upgraded

from caffe.proto import caffe_pb2, upgrade_v1


def test_v1_parameters():
    ours = upgraded(
        "layers { type: INNER_PRODUCT name: 'a' param: 'w' blob_share_mode: STRICT "
        "blob_share_mode: PERMISSIVE blobs_lr: 1 blobs_lr: 2 weight_decay: 0 loss_weight: 3 "
        "blobs { data: 1 } include { phase: TEST } exclude { stage: 's' } "
        "inner_product_param { num_output: 2 } }"
    )
    assert ours == net(
        "layer { type: 'InnerProduct' name: 'a' param { name: 'w' share_mode: STRICT lr_mult: 1 "
        "decay_mult: 0 } param { share_mode: PERMISSIVE lr_mult: 2 } loss_weight: 3 "
        "blobs { data: 1 } include { phase: TEST } exclude { stage: 's' } "
        "inner_product_param { num_output: 2 } }"
    )


def test_every_v1_type_and_setting_has_its_place_today():
    values = caffe_pb2.V1LayerParameter.LayerType.values()
    assert sorted(upgrade_v1._TYPES) == sorted(values)
    ours = caffe_pb2.LayerParameter.DESCRIPTOR.fields_by_name
    old = caffe_pb2.V1LayerParameter.DESCRIPTOR.fields_by_name
    assert [n for n in old if n.endswith("_param") and n not in ours] == []


def test_v1_and_todays_layers_in_one_net():
    assert refusal("layers { type: RELU } layer { type: 'ReLU' }").startswith(
        "old: has both 'layer' and 'layers' fields"
    )
