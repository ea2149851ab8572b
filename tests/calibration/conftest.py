"""Commands and what they share, not tests."""

collect_ignore_glob = ["measure_*.py", "inject_*.py", "inside_rows.py"]
