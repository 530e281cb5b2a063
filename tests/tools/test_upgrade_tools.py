"""The three commands that bring old files to today's format."""

from pathlib import Path

import pytest

from caffe.proto import prototxt
from caffe.proto.caffe_pb2 import NetParameter
from caffe.tools import (
    upgrade_net_proto_binary,
    upgrade_net_proto_text,
    upgrade_solver_proto_text,
)

FILES = Path(__file__).parent.parent / "golden" / "files"
COMMANDS = [upgrade_net_proto_text, upgrade_net_proto_binary, upgrade_solver_proto_text]


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_text(version, tmp_path, capsys):
    out = tmp_path / "out.prototxt"
    assert upgrade_net_proto_text.main([str(FILES / f"{version}.in.prototxt"), str(out)]) == 0
    assert out.read_text() == (FILES / f"{version}.out.prototxt").read_text()
    assert f"] Wrote upgraded NetParameter text proto to {out}\n" in capsys.readouterr().err


def test_binary(tmp_path, capsys):
    file = tmp_path / "net.caffemodel"
    old = prototxt.read_prototxt(FILES / "v1.in.prototxt", NetParameter())
    file.write_bytes(old.SerializeToString())
    assert upgrade_net_proto_binary.main([str(file), str(file)]) == 0
    new = prototxt.read_prototxt(FILES / "v1.out.prototxt", NetParameter())
    assert NetParameter.FromString(file.read_bytes()) == new
    assert f"] Wrote upgraded NetParameter binary proto to {file}\n" in capsys.readouterr().err


def test_solver(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("solver_type: ADAM # old\nbase_lr: 0.001\n")
    assert upgrade_solver_proto_text.main([str(old), str(new)]) == 0
    assert new.read_text() == 'base_lr: 0.001\ntype: "Adam"\n'


def test_files_that_are_up_to_date_are_written_all_the_same(tmp_path, capsys):
    net, solver, out = FILES / "v1.out.prototxt", tmp_path / "solver", tmp_path / "out"
    solver.write_text("type: 'SGD'")
    assert upgrade_net_proto_text.main([str(net), str(out)]) == 0
    assert out.read_text() == net.read_text()
    assert upgrade_solver_proto_text.main([str(solver), str(out)]) == 0
    assert out.read_text() == 'type: "SGD"\n'
    model = FILES / "tiny_sgd_iter_4.caffemodel"
    assert upgrade_net_proto_binary.main([str(model), str(out)]) == 0
    assert out.read_bytes() == model.read_bytes()
    log = capsys.readouterr().err
    for path in (net, solver, model):
        assert f"] File already in latest proto format: {path}\n" in log


def test_net_that_loses_a_setting_is_written_and_fails(tmp_path, capsys):
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("layers { layer { name: 'r' type: 'relu' pad: 3 } }")
    assert upgrade_net_proto_text.main([str(old), str(new)]) == 1
    assert new.read_text() == 'layer {\n  name: "r"\n  type: "ReLU"\n}\n'
    assert "Encountered error(s) while upgrading prototxt" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_mistakes_end_in_one_line_and_exit_code_1(command, tmp_path, capsys):
    def fails(*arguments):
        assert command.main([str(argument) for argument in arguments]) == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        lines = {line.split("] ", 1)[1] for line in captured.err.splitlines()}
        assert len(lines) == 1
        return lines.pop()

    bad, out = tmp_path / "bad", tmp_path / "out"
    assert "give the two files IN and OUT, not 1" in fails(bad)
    assert "give the two files IN and OUT, not 3" in fails(bad, bad, bad)
    assert "unknown command line flag 'x'" in fails("--x")
    assert fails(bad, out) == f"{bad}: no such file"
    bad.write_bytes(b"\xffname")
    assert fails(bad, out).startswith(str(bad))
    assert not out.exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command, capsys):
    assert command.main(["--help"]) == 0
    assert capsys.readouterr().out.count("python -m tools.upgrade_") == 2
