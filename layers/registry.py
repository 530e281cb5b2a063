"""Which layer types exist, and making a layer from its LayerParameter."""

from typing import Any

from ..errors import CaffeError, suggestion
from ..kernels import cpu, twins
from .layer import TEST, Layer

_types: dict[str, type[Layer]] = {}


def register(layer_class: type[Layer]) -> type[Layer]:
    """Class decorator: make `layer_class` known under its `type`."""
    _types[layer_class.type] = layer_class
    return layer_class


def layer_type_list() -> list[str]:
    """The names of all layer types, sorted, as pycaffe's caffe.layer_type_list()."""
    return sorted(_types)


def create_layer(param: Any, phase: int = TEST) -> Layer:
    """A new layer of the type that its LayerParameter names, on the GPU where that is chosen and
    the type can.

    Raises CaffeError for a type that does not exist, naming the nearest that does.
    """
    try:
        layer_class = _types[param.type]
    except KeyError:
        hint = suggestion(param.type, layer_type_list())
        raise CaffeError(
            f"layer '{param.name}': there is no layer type '{param.type}'; {hint}"
        ) from None
    return layer_class(param, phase, twins.current() if layer_class.has_gpu_twin else cpu)
