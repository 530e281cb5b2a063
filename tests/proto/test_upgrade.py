"""Old formats of nets become today's, with Caffe's lines in the log."""

from pathlib import Path

import pytest
from upgrade_testing import net

from caffe.proto import prototxt, upgrade
from caffe.proto.caffe_pb2 import NetParameter

FILES = Path(__file__).parent.parent / "golden" / "files"


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_nets_become_what_caffe_makes_of_them(version):
    ours = upgrade.read_net_param(FILES / f"{version}.in.prototxt")
    expected = (FILES / f"{version}.out.prototxt").read_text()
    assert ours == net(expected)
    assert prototxt.format_message(ours) == expected


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_binary_nets_are_upgraded_too(version, tmp_path):
    old = prototxt.read_prototxt(FILES / f"{version}.in.prototxt", NetParameter())
    path = tmp_path / "old.caffemodel"
    path.write_bytes(old.SerializeToString())
    ours = upgrade.read_net_param_binary(path)
    assert ours == net((FILES / f"{version}.out.prototxt").read_text())


def test_lines_of_the_log_for_v0(log):
    path = FILES / "v0.in.prototxt"
    upgrade.read_net_param(path)
    start = "I Attempting to upgrade input file specified using deprecated "
    done = "I Successfully upgraded file specified using deprecated "
    assert [line for line in log if not line.startswith("W")] == [
        f"{start}V0LayerParameter: {path}",
        f"{done}V0LayerParameter",
        f"{start}V1LayerParameter: {path}",
        f"{done}V1LayerParameter",
        f"{start}input fields: {path}",
        f"{done}input fields.",
    ]
    assert [line[:52] for line in log if line.startswith("W")] == [
        "W Note that future Caffe releases will not support V",
        "W Note that future Caffe releases will only support ",
    ]


def test_lines_of_the_log_for_v1(log):
    path = FILES / "v1.in.prototxt"
    upgrade.read_net_param(path)
    start = "Attempting to upgrade input file specified using deprecated "
    done = "Successfully upgraded file specified using deprecated "
    assert log == [
        f"I {start}transformation parameters: {path}",
        f"I {done}data transformation parameters.",
        "W Note that future Caffe releases will only support transform_param messages for "
        "transformation fields.",
        f"I {start}V1LayerParameter: {path}",
        f"I {done}V1LayerParameter",
    ]


def test_todays_net_is_left_alone(log):
    today = net((FILES / "v1.out.prototxt").read_text())
    before = NetParameter.FromString(today.SerializeToString())
    assert not upgrade.net_needs_upgrade(today)
    assert upgrade.upgrade_net(today, "new")
    assert today == before
    assert log == []
