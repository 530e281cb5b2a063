"""`make clean`: what is made goes, the rest stays."""

import os
import shutil
import subprocess

import pytest
from solver_testing import ROOT


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_clean_removes_what_was_made(tmp_path) -> None:
    folder = tmp_path / "examples" / "mnist"
    (folder / "mnist_test_lmdb").mkdir(parents=True)
    (folder / ".mnist_train_lmdb.12.tmp").mkdir()
    for name in (
        "lenet_iter_5.caffemodel",
        "lenet_v1_iter_5.solverstate",
        "lenet_multistep_iter_5.caffemodel",
        ".lenet_iter_5.caffemodel.12.tmp",
        "lenet_solver.prototxt",
    ):
        (folder / name).touch()
    shutil.copy(ROOT / "Makefile", tmp_path)
    subprocess.run(
        ["make", "-C", str(tmp_path), "clean"],
        check=True,
        capture_output=True,
        env={"PATH": os.environ["PATH"]},  # nothing from a `make test` around this
    )
    assert [path.name for path in folder.iterdir()] == ["lenet_solver.prototxt"]
