"""What all tests share: `import layer_testing` works from every test file."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "layers"))
