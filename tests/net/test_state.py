"""Which layers a net has: the include and exclude rules."""

import pytest
from google.protobuf import text_format

from caffe import CaffeError
from caffe.net.state import filter_net
from caffe.proto import caffe_pb2


def names(state: str, rules: str) -> list[str]:
    text = f'state {{ {state} }} layer {{ name: "kept" }} layer {{ name: "ruled" {rules} }}'
    return [
        layer.name for layer in filter_net(text_format.Parse(text, caffe_pb2.NetParameter())).layer
    ]


@pytest.mark.parametrize(
    ("state", "rules", "included"),
    [
        ("phase: TRAIN", "", True),
        ("phase: TRAIN", "include { phase: TRAIN }", True),
        ("phase: TEST", "include { phase: TRAIN }", False),
        ("phase: TEST", "exclude { phase: TRAIN }", True),
        ("phase: TRAIN", "exclude { phase: TRAIN }", False),
        ("phase: TEST", "include { phase: TRAIN } include { phase: TEST }", True),
        ("level: 2", "include { min_level: 2 max_level: 3 }", True),
        ("level: 1", "include { min_level: 2 }", False),
        ("level: 4", "include { max_level: 3 }", False),
        ('stage: "a" stage: "b"', 'include { stage: "a" stage: "b" }', True),
        ('stage: "a"', 'include { stage: "a" stage: "b" }', False),
        ('stage: "a"', 'include { stage: "a" } include { stage: "b" }', True),
        ('stage: "a"', 'include { not_stage: "a" }', False),
        ('stage: "b"', 'include { not_stage: "a" }', True),
        ('stage: "a" phase: TRAIN', 'exclude { stage: "a" phase: TEST }', True),
    ],
)
def test_rules(state: str, rules: str, included: bool) -> None:
    assert names(state, rules) == ["kept", "ruled"][: 1 + included]


def test_both_kinds_of_rules_are_an_error() -> None:
    with pytest.raises(CaffeError, match="layer 'ruled': has include rules and exclude rules"):
        names("", "include { phase: TRAIN } exclude { phase: TEST }")


def test_the_original_is_untouched() -> None:
    param = text_format.Parse(
        'layer { name: "a" exclude { phase: TEST } }', caffe_pb2.NetParameter()
    )
    param.state.phase = caffe_pb2.TEST
    assert not filter_net(param).layer
    assert len(param.layer) == 1
