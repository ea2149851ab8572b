"""The measure_*.py files are commands, not tests."""

collect_ignore_glob = ["measure_*.py"]
