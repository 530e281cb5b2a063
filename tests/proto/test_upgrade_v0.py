"""The V0 format: one message for all settings, padding in layers of its own."""

from upgrade_testing import net, refusal, upgraded

from caffe.proto import upgrade


def test_v0_data_layers():
    ours = upgraded(
        "layers { layer { name: 'd' type: 'data' source: 's' batchsize: 4 scale: 0.5 meanfile: 'm' "
        "cropsize: 3 mirror: true rand_skip: 2 } top: 'x' }"
        "layers { layer { name: 'i' type: 'images' source: 's' batchsize: 4 new_height: 5 "
        "new_width: 6 shuffle_images: true } top: 'y' }"
        "layers { layer { type: 'window_data' det_fg_threshold: 0.1 det_crop_mode: 'square' } }"
        "layers { layer { type: 'hdf5_output' hdf5_output_param { file_name: 'f' } } bottom: 'x' }"
    )
    assert ours == net(
        "layer { name: 'd' type: 'Data' top: 'x' data_param { source: 's' batch_size: 4 "
        "rand_skip: 2 } transform_param { scale: 0.5 mean_file: 'm' crop_size: 3 mirror: true } }"
        "layer { name: 'i' type: 'ImageData' top: 'y' image_data_param { source: 's' batch_size: 4 "
        "new_height: 5 new_width: 6 shuffle: true } }"
        "layer { type: 'WindowData' window_data_param { fg_threshold: 0.1 crop_mode: 'square' } }"
        "layer { type: 'HDF5Output' bottom: 'x' hdf5_output_param { file_name: 'f' } }"
    )


def test_v0_settings_that_the_type_does_not_have(log):
    old = net("input: 'x' layers { layer { name: 'r' type: 'relu' num_output: 3 } bottom: 'x' }")
    assert not upgrade.upgrade_net(old, "old")
    assert "E Unknown parameter num_output for layer type relu" in log
    assert old == net("layer { name: 'r' type: 'ReLU' bottom: 'x' }")


def test_v0_padding():
    pad = "layers { layer { name: 'p' type: 'padding' pad: 2 } bottom: 'x' top: 'y' }"
    ours = upgraded(f"input: 'x' {pad} layers {{ layer {{ type: 'pool' }} bottom: 'y' top: 'z' }}")
    assert ours == net("layer { type: 'Pooling' bottom: 'x' top: 'z' pooling_param { pad: 2 } }")
    relu = "layers { layer { name: 'r' type: 'relu' } bottom: 'y' top: 'z' }"
    assert refusal(f"input: 'x' {pad} {relu}") == (
        "old: layer 'r': padding layer 'p' stands before a layer of type 'relu'; "
        "only conv and pool can pad"
    )
    two = "layers { layer { name: 'c' type: 'conv' } bottom: 'y' bottom: 'x' top: 'z' }"
    assert "must have one bottom each" in refusal(f"input: 'x' {pad} {two}")


def test_v0_mistakes():
    assert refusal("layers { layer { name: 'c' type: 'convolve' } }") == (
        "old: layer 'c': Unknown layer name: convolve"
    )
    assert refusal("layers { layer { name: 'c' type: 'conv' } bottom: 'x' }") == (
        "old: layer 'c': no layer before it makes its bottom 'x'"
    )


def test_v1_layer_that_holds_a_v0_layer_beside_a_v1_data_layer():
    # As in Caffe, one V0 layer makes the net a V0 net; what was V1 in it stays.
    ours = upgraded(
        "layers { type: DATA top: 'x' data_param { source: 's' scale: 2 } }"
        "layers { layer { type: 'relu' } bottom: 'x' top: 'x' }"
    )
    assert ours == net(
        "layer { type: 'Data' top: 'x' data_param { source: 's' } transform_param { scale: 2 } }"
        "layer { type: 'ReLU' bottom: 'x' top: 'x' }"
    )
