"""Finding where a NaN or an infinity came from."""

from collections.abc import Iterable

import numpy as np

from ..layers.blob import Blob
from ..layers.layer import Layer
from ..net.net import Net


def first_not_finite(net: Net) -> str:
    """The first layer, in forward order, that has a NaN or an infinity in a parameter or a top:
    "layer 'ip1' (InnerProduct), in its top 'ip1'". Empty where all values are finite."""
    for layer in net.layers:
        tops = ((f"top '{name}'", net.blobs[name]) for name in net.top_names[layer.name])
        found = _not_finite_parameter(layer) or _first(tops)
        if found:
            return f"layer '{layer.name}' ({layer.type}), in its {found}"
    return ""


def first_not_finite_parameter(net: Net) -> str:
    """The same, looking at the parameters alone."""
    for layer in net.layers:
        found = _not_finite_parameter(layer)
        if found:
            return f"layer '{layer.name}' ({layer.type}), in its {found}"
    return ""


def _not_finite_parameter(layer: Layer) -> str:
    return _first((f"parameter {index}", blob) for index, blob in enumerate(layer.blobs))


def _first(named: Iterable[tuple[str, Blob]]) -> str:
    return next((name for name, blob in named if not np.isfinite(blob.data).all()), "")
