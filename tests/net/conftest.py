"""Fixtures of the net tests."""

import logging

import pytest


@pytest.fixture
def caffe_log(caplog):
    """What is logged; the logger does not propagate, as it prints by itself."""
    logger = logging.getLogger("caffe")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)
