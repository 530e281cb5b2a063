"""compute-sanitizer finds nothing: no access beyond an array, no race in shared memory."""

import shutil
import subprocess
import sys

import pytest
from solver_testing import ROOT

COMMAND, PROGRAM = "compute-sanitizer", "tests/gpu/sanitized.py"
TOOLS = [
    ("memcheck", "--report-api-errors=no"),  # libraries ask the driver for what may be missing
    ("racecheck",),
]


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool[0])
def test_nothing_is_found(tool):
    if shutil.which(COMMAND) is None:
        pytest.skip(f"there is no {COMMAND}")
    name, *options = tool
    done = subprocess.run(
        [COMMAND, f"--tool={name}", "--error-exitcode=1", *options, sys.executable, PROGRAM],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-10000:]
