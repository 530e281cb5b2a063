"""From V0, Caffe's first format, `layers { layer { type: "conv" ... } bottom: ... }`, to V1.

A V0 layer keeps all its settings in one message, whatever its type; V1 has a message for each
type. V0 pads with layers of their own, V1 in the convolution or pooling that follows.
"""

from typing import Any

from google.protobuf.message import Message

from ..errors import CaffeError
from ..glog import logger
from .caffe_pb2 import NetParameter, V1LayerParameter
from .schema import is_repeated

_TYPES = {
    "accuracy": V1LayerParameter.ACCURACY,
    "bnll": V1LayerParameter.BNLL,
    "concat": V1LayerParameter.CONCAT,
    "conv": V1LayerParameter.CONVOLUTION,
    "data": V1LayerParameter.DATA,
    "dropout": V1LayerParameter.DROPOUT,
    "euclidean_loss": V1LayerParameter.EUCLIDEAN_LOSS,
    "flatten": V1LayerParameter.FLATTEN,
    "hdf5_data": V1LayerParameter.HDF5_DATA,
    "hdf5_output": V1LayerParameter.HDF5_OUTPUT,
    "im2col": V1LayerParameter.IM2COL,
    "images": V1LayerParameter.IMAGE_DATA,
    "infogain_loss": V1LayerParameter.INFOGAIN_LOSS,
    "innerproduct": V1LayerParameter.INNER_PRODUCT,
    "lrn": V1LayerParameter.LRN,
    "multinomial_logistic_loss": V1LayerParameter.MULTINOMIAL_LOGISTIC_LOSS,
    "pool": V1LayerParameter.POOLING,
    "relu": V1LayerParameter.RELU,
    "sigmoid": V1LayerParameter.SIGMOID,
    "softmax": V1LayerParameter.SOFTMAX,
    "softmax_loss": V1LayerParameter.SOFTMAX_LOSS,
    "split": V1LayerParameter.SPLIT,
    "tanh": V1LayerParameter.TANH,
    "window_data": V1LayerParameter.WINDOW_DATA,
}

# The message that holds a type's settings in V1.
_CONV = {"conv": "convolution_param"}
_IP = {"innerproduct": "inner_product_param"}
_POOL = {"pool": "pooling_param"}
_LRN = {"lrn": "lrn_param"}
_DATA = {"data": "data_param"}
_IMAGES = {"images": "image_data_param"}
_WINDOW = {"window_data": "window_data_param"}
_HDF5 = {"hdf5_data": "hdf5_data_param"}
_INFOGAIN = {"infogain_loss": "infogain_loss_param"}

# Each V0 field: its name in V1, and the types that may have it with the message that holds it.
_FIELDS = {
    "num_output": ("num_output", _CONV | _IP),
    "biasterm": ("bias_term", _CONV | _IP),
    "weight_filler": ("weight_filler", _CONV | _IP),
    "bias_filler": ("bias_filler", _CONV | _IP),
    "pad": ("pad", _CONV | _POOL),
    "kernelsize": ("kernel_size", _CONV | _POOL),
    "group": ("group", _CONV),
    "stride": ("stride", _CONV | _POOL),
    "pool": ("pool", _POOL),
    "dropout_ratio": ("dropout_ratio", {"dropout": "dropout_param"}),
    "local_size": ("local_size", _LRN),
    "alpha": ("alpha", _LRN),
    "beta": ("beta", _LRN),
    "k": ("k", _LRN),
    "source": ("source", _DATA | _HDF5 | _IMAGES | _WINDOW | _INFOGAIN),
    "batchsize": ("batch_size", _DATA | _HDF5 | _IMAGES | _WINDOW),
    "rand_skip": ("rand_skip", _DATA | _IMAGES),
    "shuffle_images": ("shuffle", _IMAGES),
    "new_height": ("new_height", _IMAGES),
    "new_width": ("new_width", _IMAGES),
    "concat_dim": ("concat_dim", {"concat": "concat_param"}),
    "det_fg_threshold": ("fg_threshold", _WINDOW),
    "det_bg_threshold": ("bg_threshold", _WINDOW),
    "det_fg_fraction": ("fg_fraction", _WINDOW),
    "det_context_pad": ("context_pad", _WINDOW),
    "det_crop_mode": ("crop_mode", _WINDOW),
}
# These went to the transform_param of any layer.
_TRANSFORM = {
    "scale": "scale",
    "meanfile": "mean_file",
    "cropsize": "crop_size",
    "mirror": "mirror",
}


def needs_upgrade_v0(net: NetParameter) -> bool:
    """Whether a net has layers in the V0 form."""
    return any(layer.HasField("layer") for layer in net.layers)


def upgrade_v0_net(net: NetParameter, source: str) -> bool:
    """Rewrite a V0 net as V1; False where a setting had to be left out (each is logged).

    Raises CaffeError for an unknown layer type, or padding before a layer that cannot pad.
    """
    _fold_padding(net, source)
    upgraded = [_upgrade_layer(layer, source) for layer in net.layers]
    del net.layers[:]
    net.layers.extend(layer for layer, _ in upgraded)
    return all(complete for _, complete in upgraded)


def _fold_padding(net: NetParameter, source: str) -> None:
    """Take out the padding layers; the layer after each pads by itself."""
    makers: dict[str, V1LayerParameter | None] = dict.fromkeys(net.input)
    kept = []
    for layer in net.layers:
        bottoms = list(layer.bottom)
        for i, blob in enumerate(bottoms):
            where = f"{source}: layer '{layer.layer.name}'"
            if blob not in makers:
                raise CaffeError(f"{where}: no layer before it makes its bottom '{blob}'")
            maker = makers[blob]
            if maker is None or maker.layer.type != "padding":
                continue
            if layer.layer.type not in ("conv", "pool"):
                raise CaffeError(
                    f"{where}: padding layer '{maker.layer.name}' stands before a layer of type "
                    f"'{layer.layer.type}'; only conv and pool can pad"
                )
            if not len(bottoms) == len(maker.bottom) == len(maker.top) == 1:
                raise CaffeError(
                    f"{where}: it and padding layer '{maker.layer.name}' must have one bottom "
                    "each, and the padding layer one top"
                )
            layer.layer.pad = maker.layer.pad
            layer.bottom[i] = maker.bottom[0]
        makers.update(dict.fromkeys(layer.top, layer))
        if layer.layer.type != "padding":
            kept.append(layer)
    copies = NetParameter(layers=kept)
    del net.layers[:]
    net.layers.extend(copies.layers)


def _upgrade_layer(old: V1LayerParameter, source: str) -> tuple[V1LayerParameter, bool]:
    """The layer in V1's form, and whether all of its settings could be kept."""
    new = V1LayerParameter()
    new.CopyFrom(old)
    new.ClearField("layer")
    v0 = old.layer
    complete = True
    if v0.HasField("name"):
        new.name = v0.name
    if v0.HasField("type"):
        if v0.type not in _TYPES:
            raise CaffeError(f"{source}: layer '{v0.name}': Unknown layer name: {v0.type}")
        new.type = _TYPES[v0.type]
    new.blobs.extend(v0.blobs)
    new.blobs_lr.extend(v0.blobs_lr)
    new.weight_decay.extend(v0.weight_decay)
    for field in _TRANSFORM:
        if v0.HasField(field):
            setattr(new.transform_param, _TRANSFORM[field], getattr(v0, field))
    for field, (name, holders) in _FIELDS.items():
        if not v0.HasField(field):
            continue
        if v0.type in holders:
            _assign(getattr(new, holders[v0.type]), name, getattr(v0, field))
        else:
            logger.error("Unknown parameter %s for layer type %s", field, v0.type)
            complete = False
    if v0.HasField("hdf5_output_param"):
        if v0.type == "hdf5_output":
            new.hdf5_output_param.CopyFrom(v0.hdf5_output_param)
        else:
            logger.error("Unknown parameter hdf5_output_param for layer type %s", v0.type)
            complete = False
    return new, complete


def _assign(message: Message, name: str, value: Any) -> None:
    field = message.DESCRIPTOR.fields_by_name[name]
    if is_repeated(field):
        getattr(message, name).append(value)
    elif isinstance(value, Message):
        getattr(message, name).CopyFrom(value)
    else:
        setattr(message, name, value)
