"""What Ultralytics keeps outside a run: the user's datasets folder and the yamls in the package; it is not imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from analyzer.files import read_json

__all__ = ["datasets_folders", "packaged_dataset"]


def _settings_files() -> Iterator[Path]:
    """Where ``get_user_config_dir`` puts settings.json, by version and system."""
    if own := os.environ.get("YOLO_CONFIG_DIR"):
        yield Path(own).expanduser() / "Ultralytics" / "settings.json"
        return
    home = Path.home()
    if sys.platform == "win32":
        yield home / "AppData" / "Roaming" / "Ultralytics" / "settings.json"
    elif sys.platform == "darwin":
        yield home / "Library" / "Application Support" / "Ultralytics" / "settings.json"
    else:
        yield Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "Ultralytics" / "settings.json"
        yield home / ".config" / "Ultralytics" / "settings.json"  # older versions ignore XDG_CONFIG_HOME


def datasets_folders(cwd: Path) -> tuple[Path, ...]:
    """The user's ``datasets_dir``, then Ultralytics' defaults for a working directory; only folders that exist."""
    found: list[Path] = []
    for file in _settings_files():
        try:
            folder = read_json(file)["datasets_dir"]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # absent or damaged: Ultralytics would write its defaults then
        if isinstance(folder, str):
            found.append(Path(folder).expanduser())
    found += [cwd / "datasets", cwd.parent / "datasets"]
    return tuple(dict.fromkeys(p for p in found if p.is_dir()))


def packaged_dataset(name: Path) -> Path | None:
    """A data yaml that the installed Ultralytics ships, by its file name (``coco8.yaml``)."""
    spec = find_spec("ultralytics")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "cfg" / "datasets"
    return next((p for p in sorted(folder.rglob(name.name)) if p.is_file() and p.suffix in (".yaml", ".yml")), None)
