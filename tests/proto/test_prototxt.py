"""Reading and printing prototxts, and what is said of a mistake in one."""

import re

import pytest
from google.protobuf import text_format
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import given, settings
from hypothesis import strategies as st

from caffe.errors import CaffeError
from caffe.proto import caffe_pb2, prototxt
from caffe.proto.mistakes import find_mistake

NET = caffe_pb2.NetParameter
SOLVER = caffe_pb2.SolverParameter


def parse(text, message=NET):
    return prototxt.parse(text, message(), "net.prototxt")


def error(text, message=NET):
    with pytest.raises(CaffeError) as caught:
        parse(text, message)
    assert "\n" not in str(caught.value)
    return str(caught.value)


MISTAKES = [
    # An unknown field: the nearest name, or what the name belongs to.
    (
        "layer {\n  convolution_param { kernal_size: 5 }\n}",
        "2:23: ConvolutionParameter has no field 'kernal_size'; did you mean 'kernel_size'?",
    ),
    ("layer { xyzzy: 1 }", "1:9: LayerParameter has no field 'xyzzy'"),
    (
        "layer { name: 'a'\nlayer { name: 'b' }",
        "2:1: LayerParameter has no field 'layer', but NetParameter has; "
        "is the brace of line 1 not closed?",
    ),
    (
        "layer {\n name: 'a'\n}\ntop: 'b'",
        "4:1: NetParameter has no field 'top', but LayerParameter has; "
        "is its brace closed too early, in line 3?",
    ),
    (
        "layer { blobs_lr: 1 }",
        "1:9: LayerParameter has no field 'blobs_lr'; "
        "it belongs to the old form of a layer, layers { ... }",
    ),
    (
        "layers { batch_norm_param { } }",
        "1:10: V1LayerParameter has no field 'batch_norm_param'; "
        "it belongs to today's form of a layer, layer { ... }",
    ),
    # A value of another type.
    (
        'layer { convolution_param { kernel_size: "x" } }',
        '1:42: ConvolutionParameter.kernel_size expects an integer, found "x"',
    ),
    (
        "layer { convolution_param { pad: -1 } }",
        "1:34: ConvolutionParameter.pad expects an integer from 0 to 4294967295, found -1",
    ),
    (
        "layer { loss_weight: much }",
        "1:22: LayerParameter.loss_weight expects a number, found much",
    ),
    (
        "layer { type: CONVOLUTION }",
        "1:15: LayerParameter.type expects a string in quotes, found CONVOLUTION",
    ),
    ("force_backward: 2", "1:17: NetParameter.force_backward expects true or false, found 2"),
    ("layer { include: 3 }", "1:18: LayerParameter.include expects '{', found 3"),
    # A value that the enum does not have.
    (
        "layer { pooling_param { pool: MAXX } }",
        "1:31: PoolingParameter.pool expects MAX, AVE or STOCHASTIC, found MAXX; "
        "did you mean 'MAX'?",
    ),
    (
        "layer { pooling_param { pool: 7 } }",
        "1:31: PoolingParameter.pool expects MAX, AVE or STOCHASTIC, found 7",
    ),
    (
        'layers { type: "InnerProduct" }',
        '1:16: V1LayerParameter.type expects a LayerType without quotes, found "InnerProduct"; '
        "did you mean 'INNER_PRODUCT'? "
        "(layers { ... } is the old form of a layer; today's is layer { ... })",
    ),
    # Punctuation.
    ("layer {\n  name: 'a'\n", "1:7: the '{' of this layer is never closed"),
    ("layer { }\n}", "2:1: this '}' closes nothing that is open"),
    ("name: 'a", "1:7: this string is not closed on its line"),
    ("name 'a'", "1:6: expected ':' after name, found 'a'"),
    ("name:", "1:6: NetParameter.name expects a string in quotes, found the end"),
    ("= 3", "1:1: expected the name of a field, found ="),
    ("input_dim: [1, 2 3]", "1:18: expected ',' or ']', found 3"),
    # Twice.
    ("name: 'a'\nname: 'b'", "2:1: NetParameter.name is given twice, first in line 1"),
]


@pytest.mark.parametrize(("text", "expected"), MISTAKES)
def test_mistake_is_told_with_its_place(text, expected):
    assert error(text) == f"net.prototxt:{expected}"


def test_net_in_place_of_a_solver_and_the_other_way_round():
    assert error("name: 'a'", SOLVER).endswith(
        "this file describes a net, where a SolverParameter was expected"
    )
    assert error("# trains\nnet: 'a'").startswith("net.prototxt:2:1: ")
    assert error("# trains\nnet: 'a'").endswith(
        "this file describes a solver, where a NetParameter was expected"
    )


def test_required_field_that_is_missing():
    expected = "net.prototxt: required, but not given: layer[0].clip_param.max"
    assert error("layer { clip_param { min: 0 } }") == expected


def test_escape_that_does_not_exist_in_a_string():
    assert error(r"name: '\xzz'").startswith("net.prototxt:1:7: ")


def test_columns_are_those_of_the_text_as_written(log):
    text = "layer { convolution_param { kernelsize: 5 pad: x } } // no"
    assert error(text).startswith("net.prototxt:1:48: ")
    assert len(log) == 1


def test_comments_of_both_kinds_and_signs_of_them_in_strings():
    net = parse("# one\nname: 'a//b#c' // two \" '\ninput: \"it's // #\" # three // \"\n//\n")
    assert net == NET(name="a//b#c", input=["it's // #"])


def test_spellings_of_messages_and_lists():
    net = parse("layer: { include: { phase: TRAIN } }, layer < loss_weight: [1, 2.5] >;")
    assert net.layer[0].include[0].phase == caffe_pb2.TRAIN
    assert list(net.layer[1].loss_weight) == [1, 2.5]


def test_kernelsize_is_read_with_one_warning(log):
    net = parse(
        "layer { convolution_param {\n kernelsize: 5 } }\n"
        "layer { pooling_param {\n kernelsize: 2 } }\n"
        "layers { layer {\n kernelsize: 3 } }"
    )
    assert list(net.layer[0].convolution_param.kernel_size) == [5]
    assert net.layer[1].pooling_param.kernel_size == 2
    assert net.layers[0].layer.kernelsize == 3
    assert log == ["W net.prototxt: 'kernelsize' is read as 'kernel_size' in line 2, 4"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (0.00390625, "0.00390625"), (1e-8, "1e-08"), (1 / 3, "0.333333343"),
     (float("inf"), "inf"), (float("nan"), "nan"), (1e10, "1e+10"), (0.1, "0.1")],
)  # fmt: skip
def test_floats_are_printed_as_cpp_prints_them(value, text):
    solver = SOLVER(base_lr=value)
    assert prototxt.format_message(solver) == f"base_lr: {text}\n"


def test_printing():
    net = parse(
        'layer { top: \'a\' name: "x\\n\\"" phase: TEST blobs { double_data: [0.1, 3] } '
        "propagate_down: true dropout_param { } } name: '\u00e9'"
    )
    assert prototxt.format_message(net) == (
        'name: "\\303\\251"\nlayer {\n  name: "x\\n\\""\n  top: "a"\n  blobs {\n'
        "    double_data: 0.1\n    double_data: 3\n  }\n  phase: TEST\n  propagate_down: true\n"
        "  dropout_param {\n  }\n}\n"
    )


def test_files(tmp_path):
    path = tmp_path / "net.prototxt"
    with pytest.raises(CaffeError, match=rf"^{re.escape(str(path))}: no such file$"):
        prototxt.read_prototxt(path, NET())
    with pytest.raises(CaffeError, match="is a folder, where a file was expected"):
        prototxt.read_prototxt(tmp_path, NET())
    path.write_bytes(NET(name="a", input_dim=[1, 2]).SerializeToString())
    with pytest.raises(CaffeError, match="is a binary file, where a prototxt was expected"):
        prototxt.read_prototxt(path, NET())
    path.write_bytes(b"\xef\xbb\xbfname: 'a' # \xff is no UTF-8\r\n")
    assert prototxt.read_prototxt(path, NET()).name == "a"
    path.write_bytes(b"name: 'a\xff'")
    with pytest.raises(CaffeError, match=r":1:7: NetParameter.name expects UTF-8, found 'a\?'$"):
        prototxt.read_prototxt(path, NET())


def values(field):
    if field.message_type is not None:
        return messages(field.message_type)
    if field.enum_type is not None:
        return st.sampled_from([value.number for value in field.enum_type.values])
    return {
        FieldDescriptor.TYPE_STRING: st.text(max_size=8),
        FieldDescriptor.TYPE_BOOL: st.booleans(),
        FieldDescriptor.TYPE_FLOAT: st.floats(width=32, allow_nan=False),
    }.get(field.type, st.integers(0, 2**31 - 1))


@st.composite
def messages(draw, descriptor):
    """A message with up to three fields of its type, chosen at random."""
    message = descriptor._concrete_class()
    for field in draw(st.lists(st.sampled_from(list(descriptor.fields)), max_size=3)):
        value = draw(values(field))
        message.MergeFrom(
            type(message)(**{field.name: [value] if prototxt.is_repeated(field) else value})
        )
    return message


@settings(max_examples=60, deadline=None)
@given(messages(SOLVER.DESCRIPTOR))
def test_what_is_printed_reads_back_the_same(message):
    text = prototxt.format_message(message)
    if message.IsInitialized():
        assert prototxt.parse(text, SOLVER(), "printed") == message
    theirs = text_format.Parse(text, SOLVER())
    assert theirs == message


SMALL = """layers { name: "mnist" type: DATA top: "data" include: { phase: TRAIN } }
layer { name: 'a//b' type: "Pooling" # comment
  pooling_param { pool: MAX kernel_size: [] stride: 2 } loss_weight: [1., -2e3] }
"""


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, len(SMALL)),
    st.integers(0, 12),
    st.text("{}<>[]\"':;,#/x5.- \n@", max_size=2),
)
def test_whatever_text_format_refuses_is_explained(start, removed, inserted):
    text = SMALL[:start] + inserted + SMALL[start + removed :]
    try:
        parse(text)
        refusal = None
    except CaffeError as error:
        refusal = str(error)
    mistake = find_mistake(text, NET.DESCRIPTOR)
    if refusal is None:
        assert mistake is None
    else:
        assert refusal == f"net.prototxt:{mistake.line}:{mistake.column}: {mistake.what}"
