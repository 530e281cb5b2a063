"""Split layers for blobs with several consumers.

A top that is the bottom of more than one layer (or a bottom and a loss) gets a Split layer behind
it, so that every consumer writes its gradient into a blob of its own and Split adds them up.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ..errors import CaffeError, nearest
from ..proto import caffe_pb2

Place = tuple[int, int]  # (layer, index among its tops or bottoms)


def insert_splits(param: Any) -> Any:
    """A copy of the NetParameter with the Split layers that it needs.

    The split of top `blob` number `i` of `layer` is named `blob_layer_i_split`, its tops
    `blob_layer_i_split_0`, `..._1` and so on, as in Caffe.
    Raises CaffeError for a bottom that no layer before it makes.
    """
    source, uses, loss_weight = _count_uses(param)
    split = caffe_pb2.NetParameter()
    split.CopyFrom(param)
    del split.layer[:]
    next_use: Counter[Place] = Counter()
    for i, layer in enumerate(param.layer):
        copied = split.layer.add()
        copied.CopyFrom(layer)
        for j, blob in enumerate(layer.bottom):
            top = source[i, j]
            if uses[top] > 1:
                name = split_name(param.layer[top[0]].name, blob, top[1])
                copied.bottom[j] = f"{name}_{next_use[top]}"
                next_use[top] += 1
        for j, blob in enumerate(layer.top):
            if uses[i, j] > 1:
                weight = loss_weight.get((i, j), 0.0)
                _add_split(split.layer.add(), layer.name, blob, j, uses[i, j], weight)
                if weight:
                    del copied.loss_weight[:]
                    next_use[i, j] += 1
    return split


def split_name(layer_name: str, blob_name: str, top_index: int) -> str:
    """The name of the Split layer behind a top."""
    return f"{blob_name}_{layer_name}_{top_index}_split"


def _count_uses(param: Any) -> tuple[dict[Place, Place], Counter[Place], dict[Place, float]]:
    """For each bottom the top that it reads; how often each top is used (a loss weight is a use
    too); the loss weights."""
    maker: dict[str, Place] = {}  # blob name -> the last layer (so far) that makes it
    source: dict[Place, Place] = {}
    uses: Counter[Place] = Counter()
    loss_weight: dict[Place, float] = {}
    for i, layer in enumerate(param.layer):
        for j, blob in enumerate(layer.bottom):
            if blob not in maker:
                raise unknown_bottom(param, layer, j, maker)
            source[i, j] = maker[blob]
            uses[maker[blob]] += 1
        for j, blob in enumerate(layer.top):
            maker[blob] = (i, j)
        for j, weight in enumerate(layer.loss_weight[: len(layer.top)]):
            top = maker[layer.top[j]]
            loss_weight[top] = weight
            uses[top] += weight != 0
    return source, uses, loss_weight


def unknown_bottom(param: Any, layer: Any, index: int, known: Iterable[str]) -> CaffeError:
    """The error for a bottom that no layer before `layer` makes."""
    blob = layer.bottom[index]
    later = [other.name for other in param.layer if blob in other.top]
    near = nearest(blob, known)
    if later:
        hint = f"layer '{later[0]}' makes it, but stands later: move it before '{layer.name}'"
    elif near:
        hint = f"no layer before it makes that blob; did you mean '{near}'?"
    else:
        hint = "no layer before it makes that blob in this phase; check its name and the rules"
    return CaffeError(
        f"layer '{layer.name}' ({layer.type}): unknown bottom blob '{blob}' "
        f"(bottom index {index}): {hint}"
    )


def _add_split(split: Any, layer: str, blob: str, index: int, count: int, weight: float) -> None:
    split.name = split_name(layer, blob, index)
    split.type = "Split"
    split.bottom.append(blob)
    split.top.extend(f"{split.name}_{k}" for k in range(count))
    if weight:  # the first top carries the loss
        split.loss_weight.extend([weight] + [0.0] * (count - 1))
