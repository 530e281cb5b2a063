"""What all tests share: helper modules such as `layer_testing`, and the fixture `caffe_log`."""

import importlib
import logging
import os
import sys
from pathlib import Path

import pytest

from caffe.kernels import twins

for folder in ("kernels", "layers", "net", "proto", "solver"):
    sys.path.insert(0, str(Path(__file__).parent / folder))


@pytest.fixture
def caffe_log(caplog):
    """What is logged; the logger does not propagate, as it prints by itself."""
    logger = logging.getLogger("caffe")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


@pytest.fixture(scope="session", autouse=True)
def _twin():
    """CAFFE_TEST_TWIN=cuda: the nets of the tests compute on the GPU, or in Numba's simulator."""
    if os.environ.get("CAFFE_TEST_TWIN") == "cuda":
        if twins.is_simulated():
            importlib.import_module("simulator").prepare()
        twins.use_gpu()
