"""The tutorial in small: MNIST into LMDBs, LeNet trained and tested by the command line."""

import gzip
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import caffe

ROOT = Path(__file__).parent.parent
TRAIN_IMAGES, TEST_IMAGES, ITERATIONS = 32000, 2000, 500


def write_part_of_mnist(kind: str, count: int, folder: Path) -> list[str]:
    """The first `count` images and labels as IDX files. Returns their paths."""
    paths = []
    for what, item_bytes, header_bytes in (("images-idx3", 784, 16), ("labels-idx1", 1, 8)):
        with gzip.open(ROOT / "data" / "mnist" / f"{kind}-{what}-ubyte.gz") as file:
            data = file.read(header_bytes + count * item_bytes)
        path = folder / f"{kind}-{what}"
        path.write_bytes(data[:4] + struct.pack(">i", count) + data[8:])
        paths.append(str(path))
    return paths


def run(*arguments: str) -> str:
    """A command of tools/ in a process of its own. Returns its log."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, str]:
    """A folder with everything that the training wrote, and its log."""
    folder = tmp_path_factory.mktemp("lenet")
    net = (ROOT / "examples" / "mnist" / "lenet_train_test.prototxt").read_text()
    for name, kind, count in (("train", "train", TRAIN_IMAGES), ("test", "t10k", TEST_IMAGES)):
        run(
            "tools.convert_mnist_data",
            *write_part_of_mnist(kind, count, folder),
            f"{folder}/{name}",
        )
        net = net.replace(f"examples/mnist/mnist_{name}_lmdb", f"{folder}/{name}")
    (folder / "net.prototxt").write_text(net)
    solver = (ROOT / "examples" / "mnist" / "lenet_solver.prototxt").read_text()
    for field, value in (
        ("net", f'"{folder}/net.prototxt"'),
        ("test_iter", TEST_IMAGES // 100),
        ("test_interval", 250),
        ("max_iter", ITERATIONS),
        ("snapshot_prefix", f'"{folder}/lenet"'),
    ):
        solver = re.sub(rf"^{field}:.*$", f"{field}: {value}", solver, flags=re.M)
    (folder / "solver.prototxt").write_text(solver)
    return folder, run("tools.caffe", "train", f"--solver={folder}/solver.prototxt")


def test_it_learns(trained) -> None:
    _, log = trained
    accuracies = [float(a) for a in re.findall(r"Test net output #0: accuracy = (\S+)", log)]
    assert len(accuracies) == 3
    assert accuracies[0] < 0.3
    assert accuracies[-1] > 0.95
    losses = [float(x) for x in re.findall(r"Iteration \d+ \(.*\), loss = (\S+)", log)]
    assert losses[0] > 2
    assert losses[-1] < 0.5


def test_the_log_reads_like_caffes(trained) -> None:
    _, log = trained
    prefix = r"^[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ \w+\.py:\d+\] "
    for line in (
        r"Solving LeNet",
        r"Learning Rate Policy: inv",
        r"Iteration 0, Testing net \(#0\)",
        r"    Test net output #1: loss = \S+ \(\* 1 = \S+ loss\)",
        r"Iteration 100 \(\S+ iter/s, \S+s/100 iters\), loss = \S+",
        r"    Train net output #0: loss = \S+ \(\* 1 = \S+ loss\)",
        r"Iteration 100, lr = 0\.00992565",
        r"Snapshotting to binary proto file .*lenet_iter_500\.caffemodel",
        r"Snapshotting solver state to binary proto file .*lenet_iter_500\.solverstate",
        r"Optimization Done\.",
    ):
        assert re.search(prefix + line + "$", log, re.M), line
    assert "\r" not in log


def test_the_trained_weights_work_in_the_deploy_net_and_the_test_command(trained) -> None:
    folder, log = trained
    weights = str(folder / f"lenet_iter_{ITERATIONS}.caffemodel")
    net = caffe.Net(str(ROOT / "examples" / "mnist" / "lenet.prototxt"), weights, caffe.TEST)
    with gzip.open(ROOT / "data" / "mnist" / "t10k-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(16 + 200 * 784)[16:], np.uint8).reshape(200, 1, 28, 28)
    with gzip.open(ROOT / "data" / "mnist" / "t10k-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(8 + 200)[8:], np.uint8)
    prob = net.forward_all(data=images * np.float32(0.00390625))["prob"]
    assert (prob.argmax(axis=1) == labels).mean() > 0.9
    tested = run(
        "tools.caffe", "test", "-model", f"{folder}/net.prototxt", "-weights", weights,
        "-iterations", str(TEST_IMAGES // 100),
    )  # fmt: skip
    final = float(re.findall(r"Test net output #0: accuracy = (\S+)", log)[-1])
    mean = float(re.findall(r"\] accuracy = (\S+)", tested)[-1])
    assert mean == pytest.approx(final, abs=1e-6)


def test_the_tutorials_own_text_trains(trained, tmp_path) -> None:
    """The V1 form with the tutorial's slips gives the same net and the same first losses."""
    folder, _ = trained
    net = (ROOT / "examples" / "mnist" / "lenet_train_test_v1.prototxt").read_text()
    solver = (
        (folder / "solver.prototxt").read_text().replace(f"max_iter: {ITERATIONS}", "max_iter: 20")
    )
    solver = re.sub(r"^(test_i|net:|snap|display).*$", "", solver, flags=re.M)
    logs = []
    for name, text in (("v1", net), ("today", (folder / "net.prototxt").read_text())):
        text = re.sub(r"[\w/]*mnist_(train|test)_lmdb", rf"{folder}/\1", text)
        (tmp_path / f"{name}.prototxt").write_text(text)
        (tmp_path / f"{name}_solver.prototxt").write_text(
            f'{solver}\nnet: "{tmp_path}/{name}.prototxt"\ndisplay: 1\n'
            f'snapshot_prefix: "{tmp_path}/{name}"\n'
        )
        logs.append(run("tools.caffe", "train", f"--solver={tmp_path}/{name}_solver.prototxt"))
    losses = [re.findall(r"Iteration \d+ \(.*\), (loss = \S+)", log) for log in logs]
    assert len(losses[0]) == 20
    assert losses[0] == losses[1]
    assert "deprecated V1LayerParameter" in logs[0]
    assert os.path.exists(tmp_path / "v1_iter_20.caffemodel")


def test_kernels_just_compiled_and_kernels_from_the_cache_give_the_same_bits(tmp_path) -> None:
    script = f"""
import hashlib, sys
sys.path.insert(0, {str(ROOT / "tests" / "net")!r})
from net_testing import fill_inputs, lenet_text, make_net
import caffe
caffe.set_random_seed(1)
net = make_net(lenet_text())
fill_inputs(net, classes=10)
net.forward_backward()
print(hashlib.sha256(b"".join(p.diff.tobytes() for p in net.learnable_params)).hexdigest())
"""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "GLOG_minloglevel": "0"}
    first, second = (
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        for _ in range(2)
    )
    assert "Compiling kernels" in first.stderr
    assert "Compiling kernels" not in second.stderr
    assert first.stdout == second.stdout
