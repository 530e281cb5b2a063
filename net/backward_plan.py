"""Which layers and bottoms the backward pass needs."""

from ..glog import logger
from .wiring import Wiring


def prune(wiring: Wiring) -> None:
    """Leave out of the backward pass what cannot change a parameter or a loss.

    From the last layer to the first: a layer takes part only if one of its tops leads to a loss
    and not all of its tops are blobs whose gradient nobody computes. What is left out is marked
    in `wiring`, and each layer's outcome is logged.
    """
    leads_to_loss: set[int] = set()
    not_computed: set[int] = set()
    for i in reversed(range(len(wiring.layers))):
        tops, bottoms = wiring.top_ids[i], wiring.bottom_ids[i]
        contributes = any(wiring.loss_weights[i]) or not leads_to_loss.isdisjoint(tops)
        if not contributes or not_computed.issuperset(tops):
            wiring.layer_need_backward[i] = False
            wiring.bottom_need_backward[i] = [False] * len(bottoms)
        need = "needs" if wiring.layer_need_backward[i] else "does not need"
        logger.info("%s %s backward computation.", wiring.layers[i].name, need)
        if contributes:
            leads_to_loss.update(bottoms)
        needed = zip(bottoms, wiring.bottom_need_backward[i], strict=True)
        not_computed.update(blob for blob, is_needed in needed if not is_needed)


def force(wiring: Wiring) -> None:
    """`force_backward: true`: every layer runs backward and computes every diff that it can."""
    for i, layer in enumerate(wiring.layers):
        wiring.layer_need_backward[i] = True
        wiring.bottom_need_backward[i] = [
            needed or layer.allow_force_backward(b)
            for b, needed in enumerate(wiring.bottom_need_backward[i])
        ]
        layer.param_propagate_down = [True] * len(layer.blobs)
