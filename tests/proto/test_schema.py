"""caffe_pb2 holds Caffe's schema, and our few additions in numbers that Caffe passes over."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from google.protobuf.descriptor import FieldDescriptor

from caffe.proto import caffe_pb2
from caffe.proto.schema import is_repeated

HERE = Path(__file__).parent
FILES = HERE.parent / "golden" / "files"
OURS = {"SolverState": {"cursor": 1701, "random_state": 1702, "recent_loss": 1703}}
SCALARS = ("int32", "int64", "uint32", "uint64", "float", "double", "bool", "string", "bytes")


def read_table():
    """The table as {("message" or "enum", name): its rows}."""
    table = {}
    for line in (HERE / "caffe_proto_schema.tsv").read_text().splitlines():
        cells = line.split("\t")
        if cells[0] in ("message", "enum"):
            rows = table.setdefault((cells[0], cells[1]), [])
        elif not line.startswith("#"):
            rows.append(cells[1:])
    return table


TABLE = read_table()
MESSAGES = [name for kind, name in TABLE if kind == "message"]


def find(name):
    found = caffe_pb2
    for part in name.split("."):
        found = getattr(found, part)
    return found.DESCRIPTOR


def type_name(field):
    kind = field.message_type or field.enum_type
    if kind is not None:
        return kind.full_name.removeprefix("caffe.")
    return next(n for n in SCALARS if field.type == getattr(FieldDescriptor, f"TYPE_{n.upper()}"))


def default_text(field):
    if is_repeated(field) or not field.has_default_value:
        return "-"
    if field.enum_type is not None:
        return field.enum_type.values_by_number[field.default_value].name
    if field.type == FieldDescriptor.TYPE_BOOL:
        return str(field.default_value).lower()
    if field.type == FieldDescriptor.TYPE_FLOAT:
        return f"{field.default_value:g}"
    return str(field.default_value)


def label(field):
    if is_repeated(field):
        return "repeated"
    return "required" if field.full_name.startswith("caffe.ClipParameter.") else "optional"


@pytest.mark.parametrize("name", MESSAGES)
def test_message_has_the_fields_of_the_table(name):
    ours = OURS.get(name, {})
    rows = [
        [
            str(field.number),
            label(field),
            type_name(field),
            field.name,
            default_text(field),
            "packed" if field.GetOptions().packed else "-",
        ]
        for field in find(name).fields
        if field.name not in ours
    ]
    assert sorted(rows) == sorted(TABLE["message", name])


def test_only_clip_has_required_fields():
    clip = caffe_pb2.ClipParameter()
    assert clip.FindInitializationErrors() == ["min", "max"]
    for name in MESSAGES:
        if name != "ClipParameter":
            assert find(name)._concrete_class().IsInitialized()


@pytest.mark.parametrize("name", [name for kind, name in TABLE if kind == "enum"])
def test_enum_has_the_values_of_the_table(name):
    values = find(name).values
    assert sorted([str(v.number), v.name] for v in values) == sorted(TABLE["enum", name])


def test_no_message_is_missing_or_too_many():
    assert sorted(caffe_pb2.DESCRIPTOR.message_types_by_name) == sorted(MESSAGES)


@pytest.mark.parametrize("name", OURS)
def test_our_own_fields_lie_in_numbers_that_caffe_ignores(name):
    fields = find(name).fields_by_name
    assert {field: fields[field].number for field in OURS[name]} == OURS[name]


def test_text_and_module_agree(tmp_path):
    pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed")
    from caffe.proto import generate

    generate.generate(tmp_path)
    for name in ("caffe_pb2.py", "caffe_pb2.pyi"):
        assert (tmp_path / name).read_text() == (generate.FOLDER / name).read_text()


def printed_by(code, **environment):
    """What a fresh Python prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_loads_with_protobuf_in_pure_python():
    code = "from caffe.proto import caffe_pb2 as c; print(c.SolverParameter().type)"
    assert printed_by(code, PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION="python") == "SGD\n"


def test_loads_beside_another_packages_caffe_proto():
    code = """
from google.protobuf import descriptor_pb2, descriptor_pool
other = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="caffe")
other.message_type.add(name="BlobShape")
descriptor_pool.Default().AddSerializedFile(other.SerializeToString())
from caffe.proto import caffe_pb2
print(caffe_pb2.BlobShape(dim=[1, 2]).dim)
"""
    assert printed_by(code) == "[1, 2]\n"


def test_module_and_package_are_what_pycaffe_scripts_import():
    assert importlib.import_module("caffe.proto.caffe_pb2") is caffe_pb2
    assert caffe_pb2.TRAIN == 0
    assert caffe_pb2.Phase.Value("TEST") == caffe_pb2.TEST == 1


def test_files_that_caffe_wrote_are_read():
    net = caffe_pb2.NetParameter.FromString((FILES / "tiny_sgd_iter_4.caffemodel").read_bytes())
    assert [layer.type for layer in net.layer][:2] == ["Input", "InnerProduct"]
    weight = net.layer[1].blobs[0]
    assert list(weight.shape.dim) == [5, 4]
    assert np.isfinite(np.array(weight.data)).all()
    assert len(weight.data) == 20
    state = caffe_pb2.SolverState.FromString((FILES / "tiny_sgd_iter_4.solverstate").read_bytes())
    assert state.iter == 4
    assert state.learned_net == "tiny_sgd_iter_4.caffemodel"
    assert [len(blob.data) for blob in state.history] == [20, 5, 15, 3]
