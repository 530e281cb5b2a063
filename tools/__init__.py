"""Floor 6: the commands, one file each: `python -m tools.NAME` in a checkout."""

import sys
from pathlib import Path

try:
    import caffe  # noqa: F401
except ImportError as error:
    folder = Path(__file__).resolve().parent.parent
    sys.exit(f"{error}; install numba-caffe first: cd {folder} && pip install -e .")
except KeyboardInterrupt:
    sys.exit("Interrupted")
