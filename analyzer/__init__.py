"""Was the jump after resuming a YOLO training noise or a fault? Imports neither torch nor ultralytics."""

from __future__ import annotations

__version__ = "0.1.0"
__all__ = ["__version__"]
