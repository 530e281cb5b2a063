"""The progress line: what it says, and that only a terminal sees it."""

import os
import pty
import re
import subprocess
import sys

import pytest
from solver_testing import ROOT, write_training

from caffe.tools.progress import progress_line


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((1234, 10000, 345.0, 0.0312), "Iteration 1234/10000 (12%), 345 iter/s, loss 0.0312, 0:25"),
        ((0, 10000, 1.0, 2.3), "Iteration 0/10000 (0%), 1 iter/s, loss 2.3, 2:46:40 left"),
        ((0, 10000, 0.0, 0.0), "Iteration 0/10000 (0%)"),
        ((5, 0, 0.0, 0.0), "Iteration 5/0 (500%)"),
    ],
)
def test_what_it_says(arguments, line) -> None:
    assert progress_line(*arguments).startswith(line)


def test_on_a_terminal(tmp_path) -> None:
    path = write_training(
        tmp_path, 'base_lr: 0.01 lr_policy: "fixed" max_iter: 4000 snapshot_after_train: false'
    )
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.caffe", "train", "--solver", path], cwd=ROOT, stderr=theirs
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other side has closed
            break
        if not part:
            break
        seen += part
    os.close(ours)
    assert process.wait() == 0
    assert re.search(rb"\r\x1b\[KIteration \d+/4000 \(\d+%\), \S+ iter/s, loss \S+, 0:\d\d", seen)
    last = seen.split(b"\x1b[K")[-1]
    assert b"left" not in last  # it is gone at the end
