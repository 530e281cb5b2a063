"""Weights in and out: NetParameter messages and .caffemodel files."""

import os
from typing import Any

from ..errors import CaffeError
from ..glog import logger
from ..io.blob_proto import proto_shape
from ..io.files import write_atomically
from ..layers.blob import Blob
from ..layers.blob_storage import (
    blob_to_proto,
    count_of_values,
    proto_to_blob,
    shape_equals,
)
from ..layers.layer import Layer
from ..proto import caffe_pb2
from ..proto.upgrade import read_net_param_binary


def net_to_proto(name: str, layers: list[Layer], write_diff: bool = False) -> Any:
    """The NetParameter that a .caffemodel holds: each layer's parameters and its weights."""
    param = caffe_pb2.NetParameter(name=name)
    for layer in layers:
        layer_param = param.layer.add()
        layer_param.CopyFrom(layer.param)
        del layer_param.blobs[:]
        for blob in layer.blobs:
            blob_to_proto(blob, layer_param.blobs.add(), write_diff)
    return param


def save(param: Any, path: str | os.PathLike[str]) -> None:
    """Write a NetParameter as a .caffemodel, whole or not at all."""
    write_atomically(path, param.SerializeToString())


def load(path: str | os.PathLike[str]) -> Any:
    """The NetParameter of a .caffemodel of any age, upgraded.

    Raises CaffeError where there is no such file or it is not one.
    """
    if str(path).endswith(".h5"):
        raise CaffeError(
            f"{path}: weights in HDF5 cannot be read yet; give the .caffemodel in binary protobuf"
        )
    return read_net_param_binary(path)


def copy_layers(source: Any, layers: dict[str, Layer], where: str) -> None:
    """Copy weights by layer name from a NetParameter, as Caffe does.

    Layers of the source that the net lacks are ignored (and logged); layers of the net that the
    source lacks keep their values. Raises CaffeError, before anything is changed, where a layer of
    both has another number of blobs or other shapes, and where no layer with
    weights is in both. `where` names the source in messages.
    """
    copies: list[tuple[Any, Blob]] = []
    has_weights = any(layer.blobs for layer in source.layer)
    for source_layer in source.layer:
        if source_layer.name not in layers:
            logger.info("Ignoring source layer %s", source_layer.name)
            continue
        layer = layers[source_layer.name]
        if len(source_layer.blobs) != len(layer.blobs):
            raise CaffeError(
                f"{where}: incompatible number of blobs for layer '{layer.name}': the file has "
                f"{len(source_layer.blobs)}, the net {len(layer.blobs)}. To leave the layer "
                "as it is, rename it in the prototxt"
            )
        for index, (proto, blob) in enumerate(zip(source_layer.blobs, layer.blobs, strict=True)):
            if not shape_equals(blob.shape, proto):
                raise _misfit(where, layer.name, index, proto, blob)
            if count_of_values(proto) != blob.count:
                raise CaffeError(
                    f"{where}: param {index} of layer '{layer.name}' holds "
                    f"{count_of_values(proto)} of {blob.count} values; the file is damaged"
                )
            copies.append((proto, blob))
    if has_weights and not copies and any(layer.blobs for layer in layers.values()):
        raise CaffeError(
            f"{where}: no layer with weights has the name of a layer of the net, so nothing would "
            "be loaded; is it the file of another model?"
        )
    for proto, blob in copies:
        proto_to_blob(proto, blob)


def _misfit(where: str, layer: str, index: int, proto: Any, blob: Blob) -> CaffeError:
    source = Blob()
    source.reshape(*proto_shape(proto))
    return CaffeError(
        f"{where}: cannot copy param {index} weights from layer '{layer}'; shape mismatch. "
        f"Source param shape is {source.shape_text}; target param shape is {blob.shape_text}. "
        "To learn this layer's parameters from scratch rather than copying from a saved net, "
        "rename the layer"
    )
