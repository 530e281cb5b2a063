"""Which layers of a NetParameter belong to the net at hand: include and exclude rules."""

from typing import Any

from ..errors import CaffeError
from ..glog import logger
from ..proto import caffe_pb2


def filter_net(param: Any) -> Any:
    """A copy of the NetParameter with only the layers that its `state` admits.

    A layer is left out if it has include rules and none is met, or has an exclude rule that is.
    Raises CaffeError for a layer with both kinds of rules.
    """
    filtered = caffe_pb2.NetParameter()
    filtered.CopyFrom(param)
    del filtered.layer[:]
    for layer in param.layer:
        if layer.include and layer.exclude:
            raise CaffeError(
                f"layer '{layer.name}': has include rules and exclude rules; use one kind"
            )
        if layer.include:
            admitted = any(meets_rule(param.state, rule, layer.name) for rule in layer.include)
        else:
            admitted = not any(meets_rule(param.state, rule, layer.name) for rule in layer.exclude)
        if admitted:
            filtered.layer.add().CopyFrom(layer)
    return filtered


def meets_rule(state: Any, rule: Any, layer_name: str) -> bool:
    """Whether a NetState meets a NetStateRule: phase, level within bounds, all stages present and
    no `not_stage` present. The first condition that fails is logged."""
    if rule.HasField("phase") and rule.phase != state.phase:
        why = f"phase ({state.phase}) differed from the phase ({rule.phase})"
    elif rule.HasField("min_level") and state.level < rule.min_level:
        why = f"level ({state.level}) is below the min_level ({rule.min_level})"
    elif rule.HasField("max_level") and state.level > rule.max_level:
        why = f"level ({state.level}) is above the max_level ({rule.max_level})"
    elif missing := [stage for stage in rule.stage if stage not in state.stage]:
        why = f"did not contain stage '{missing[0]}'"
    elif unwanted := [stage for stage in rule.not_stage if stage in state.stage]:
        why = f"contained a not_stage '{unwanted[0]}'"
    else:
        return True
    logger.info("The NetState %s specified by a rule in layer %s", why, layer_name)
    return False
