"""What these tests share: the lines that are logged."""

import logging

import pytest


@pytest.fixture
def log():
    """The lines that are logged, each with its level's letter."""
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(f"{record.levelname[0]} {record.getMessage()}")
    logging.getLogger("caffe").addHandler(handler)
    yield lines
    logging.getLogger("caffe").removeHandler(handler)
