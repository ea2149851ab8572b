"""The measure_*.py and inject_*.py files are commands, not tests."""

collect_ignore_glob = ["measure_*.py", "inject_*.py"]
