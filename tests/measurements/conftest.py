"""Scripts of measurements, no tests."""

collect_ignore_glob = ["*.py"]
