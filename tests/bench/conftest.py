"""The files here are commands and their modules, not tests."""

collect_ignore_glob = ["*.py"]
