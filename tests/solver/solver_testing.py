"""Helpers of the solver's tests: golden records, small databases, solvers of them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import text_format

from caffe.io.lmdb_writer import LmdbWriter
from caffe.proto import caffe_pb2
from caffe.solver import Solver, get_solver

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"

INPUT_NET = """
name: "small"
layer { name: "data" type: "Input" top: "data" top: "label"
  input_param { shape { dim: 6 dim: 4 } shape { dim: 6 } } }
layer { name: "ip1" type: "InnerProduct" bottom: "data" top: "ip1"
  inner_product_param { num_output: 5 weight_filler { type: "gaussian" std: 0.7 } } }
layer { name: "tanh" type: "TanH" bottom: "ip1" top: "ip1" }
layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2"
  inner_product_param { num_output: 3 weight_filler { type: "gaussian" std: 0.7 } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" }
"""

# Reads the databases `train` and `test` beside it; crop and mirror draw random numbers.
DATA_NET = """
name: "from_data"
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TRAIN }
  transform_param { scale: 0.01 mirror: true crop_size: 5 }
  data_param { source: "FOLDER/train" batch_size: 8 backend: LMDB } }
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TEST }
  transform_param { scale: 0.01 crop_size: 5 }
  data_param { source: "FOLDER/test" batch_size: 6 backend: LMDB } }
layer { name: "ip1" type: "InnerProduct" bottom: "data" top: "ip1"
  inner_product_param { num_output: 7 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "ip1" top: "ip1" }
layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2"
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "accuracy" type: "Accuracy" bottom: "ip2" bottom: "label" top: "accuracy"
  include { phase: TEST } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" }
"""

FIXED = 'base_lr: 0.1 lr_policy: "fixed" max_iter: 20 snapshot_after_train: false random_seed: 3 '


def solver_param(text: str, net: str = "") -> Any:
    """A SolverParameter from its text, with a net from its text."""
    param = text_format.Merge(text, caffe_pb2.SolverParameter())  # later ones win
    if net:
        text_format.Parse(net, param.net_param)
    return param


def make_solver(text: str = "", net: str = INPUT_NET, seed: int = 0) -> Solver:
    """A solver of the small net, its inputs filled with random numbers."""
    solver = get_solver(solver_param(FIXED + text, net))
    if net == INPUT_NET:
        rng = np.random.default_rng(seed)
        solver.net.blobs["data"].data[...] = rng.normal(size=(6, 4))
        solver.net.blobs["label"].data[...] = rng.integers(0, 3, 6)
    return solver


def step_losses(solver: Solver, iterations: int) -> list[float]:
    """The loss of each of the next iterations."""
    losses = []
    for _ in range(iterations):
        solver.step(1)
        losses.append(solver.loss)
    return losses


def parameters(solver: Solver) -> list[np.ndarray]:
    """Copies of all learnable parameters."""
    return [blob.data.copy() for blob in solver.net.learnable_params]


def write_database(path: Path, count: int, seed: int) -> None:
    """Random images of 1 x 6 x 6 whose label, one of three, can be learnt from them."""
    rng = np.random.default_rng(seed)
    with LmdbWriter(str(path)) as database:
        for index in range(count):
            label = int(rng.integers(3))
            image = rng.integers(0, 128, (1, 6, 6), np.uint8)
            image[0, 2 * label : 2 * label + 2] += 100
            datum = caffe_pb2.Datum(channels=1, height=6, width=6, label=label)
            datum.data = image.tobytes()
            database.put(b"%08d" % index, datum.SerializeToString())


def write_training(folder: Path, text: str) -> str:
    """Databases, net and solver in a folder. Returns the solver's path."""
    if not (folder / "train").exists():
        write_database(folder / "train", 50, 1)
        write_database(folder / "test", 20, 2)
        (folder / "net.prototxt").write_text(DATA_NET.replace("FOLDER", str(folder)))
    path = folder / "solver.prototxt"
    path.write_text(f'net: "{folder}/net.prototxt" snapshot_prefix: "{folder}/snap" {text}')
    return str(path)


def caffe_command(*arguments: str, **options: Any) -> subprocess.Popen:
    """`caffe ARGUMENTS` in a process of its own, its stderr readable line by line."""
    return subprocess.Popen(
        [sys.executable, "-m", "tools.caffe", *arguments],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **options.pop("env", {})},
        **options,
    )


def run_caffe(*arguments: str, **options: Any) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a whole run."""
    process = caffe_command(*arguments, **options)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err
