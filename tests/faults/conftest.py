"""The other files here are modules of the tests and commands of the Makefile."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
