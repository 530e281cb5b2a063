"""What all tests share: helper modules such as `layer_testing`, and the fixture `caffe_log`."""

import logging
import sys
from pathlib import Path

import pytest

for folder in ("kernels", "layers", "net", "proto", "solver"):
    sys.path.insert(0, str(Path(__file__).parent / folder))


@pytest.fixture
def caffe_log(caplog):
    """What is logged; the logger does not propagate, as it prints by itself."""
    logger = logging.getLogger("caffe")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)
