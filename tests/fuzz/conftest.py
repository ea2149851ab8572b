"""The fuzz_*.py files are modules of the tests here and of run_fuzz.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
