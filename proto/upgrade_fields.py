"""Fields of a net that have moved: data transformation, inputs, BatchNorm's parameters."""

from ..errors import CaffeError
from ..glog import logger
from .caffe_pb2 import NetParameter, V1LayerParameter

_HOLDERS = {
    V1LayerParameter.DATA: "data_param",
    V1LayerParameter.IMAGE_DATA: "image_data_param",
    V1LayerParameter.WINDOW_DATA: "window_data_param",
}
_TODAYS_HOLDERS = {
    "Data": "data_param",
    "ImageData": "image_data_param",
    "WindowData": "window_data_param",
}
_TRANSFORMATION = ("scale", "mean_file", "crop_size", "mirror")


def needs_upgrade_data(net: NetParameter) -> bool:
    """Whether a V1 data layer keeps its transformation among its data parameters."""
    return any(
        getattr(layer, _HOLDERS[layer.type]).HasField(name)
        for layer in net.layers
        if layer.type in _HOLDERS
        for name in _TRANSFORMATION
    )


def upgrade_data(net: NetParameter) -> None:
    """Move scale, mean_file, crop_size and mirror of V1 data layers to their transform_param."""
    for layer in net.layers:
        if layer.type not in _HOLDERS:
            continue
        holder = getattr(layer, _HOLDERS[layer.type])
        holder.SetInParent()
        layer.transform_param.SetInParent()
        for name in _TRANSFORMATION:
            if holder.HasField(name):
                setattr(layer.transform_param, name, getattr(holder, name))
                holder.ClearField(name)


def warn_of_unread_fields(net: NetParameter, source: str) -> None:
    """Say which transformation fields have no effect, as they are not where today's form reads.

    Caffe passes over them without a word.
    """
    for layer in net.layer:
        name = _TODAYS_HOLDERS.get(layer.type)
        if name is None or not layer.HasField(name):
            continue
        unread = [field for field in _TRANSFORMATION if getattr(layer, name).HasField(field)]
        if unread:
            logger.warning(
                "%s: layer '%s': %s in %s has no effect; it belongs in transform_param",
                source,
                layer.name,
                ", ".join(unread),
                name,
            )


def needs_upgrade_input(net: NetParameter) -> bool:
    """Whether a net names its inputs in fields of its own."""
    return len(net.input) > 0


def upgrade_input(net: NetParameter, source: str) -> None:
    """Put an Input layer before all others in place of the input fields.

    Raises CaffeError where an input lacks its shape or its four dimensions.
    """
    count = len(net.input)
    if net.input_shape or net.input_dim:
        layers = NetParameter(layer=net.layer)
        del net.layer[:]
        new = net.layer.add(name="input", type="Input", top=net.input)
        if net.input_shape:
            if len(net.input_shape) < count:
                raise CaffeError(
                    f"{source}: {count} inputs have {len(net.input_shape)} input_shape; "
                    "give one for each"
                )
            new.input_param.shape.extend(net.input_shape[:count])
        else:
            if len(net.input_dim) < 4 * count:
                raise CaffeError(
                    f"{source}: {count} inputs have {len(net.input_dim)} input_dim; "
                    "give four for each"
                )
            for i in range(count):
                new.input_param.shape.add(dim=net.input_dim[4 * i : 4 * i + 4])
        net.layer.extend(layers.layer)
    for name in ("input", "input_shape", "input_dim"):
        net.ClearField(name)


def needs_upgrade_batch_norm(net: NetParameter) -> bool:
    """Whether a BatchNorm layer gives three `param`, which once held its learning rates."""
    return any(layer.type == "BatchNorm" and len(layer.param) == 3 for layer in net.layer)


def upgrade_batch_norm(net: NetParameter) -> None:
    """Set those rates to 0: BatchNorm's statistics are no longer the solver's to change."""
    for layer in net.layer:
        if layer.type == "BatchNorm" and len(layer.param) == 3:
            for param in layer.param:
                param.lr_mult = 0
                param.decay_mult = 0
