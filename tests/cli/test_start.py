"""What is imported before work begins, the public names, and the help texts."""

import json
import subprocess
import sys

import pytest
import typer

import analyzer
from analyzer.cli.app import app

PROBE = """
import sys, json
sys.argv = ["drift", *{arguments!r}]
from analyzer.__main__ import main
try:
    main()
except SystemExit as stop:
    print(json.dumps([stop.code, sorted({{name.partition(".")[0] for name in sys.modules}})]), file=sys.stderr)
"""
HEAVY = {"torch", "ultralytics", "torchvision", "numpy", "scipy", "statsmodels", "matplotlib", "pandas", "jsonschema"}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["analyze", "--help"], ["replicate", "--help"], ["analyze", "--alpha"]]
)
def test_help_and_version_import_nothing_heavy(arguments):
    code = PROBE.format(arguments=arguments)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    status, modules = json.loads(done.stderr.splitlines()[-1])
    assert status == (2 if arguments[-1] == "--alpha" else 0)
    assert not HEAVY & set(modules)


def test_import_analyzer_imports_nothing_heavy():
    code = "import sys, analyzer; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert not HEAVY & set(done.stdout.split())


def test_public_names_are_frozen():
    assert analyzer.__all__ == ["Analysis", "Verdict", "__version__", "add_drift_callback", "analyze", "audit"]
    assert all(getattr(analyzer, name) is not None for name in analyzer.__all__)
    assert set(analyzer.__all__) <= set(dir(analyzer))
    with pytest.raises(AttributeError, match="nothing_of_that_name"):
        analyzer.nothing_of_that_name  # noqa: B018


def test_version_is_the_one_of_the_distribution():
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", "--version"], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == f"yolo-drift {analyzer.__version__}\n"


def test_arguments_of_many_values_have_no_default():
    """With any but None, click 8.2 ends every command, --help too."""
    commands = typer.main.get_command(app).commands.values()
    many = {(c.name, p.name): p.default for c in commands for p in c.params if p.nargs == -1}
    assert ("list", "places") in many
    assert {name: default for name, default in many.items() if default is not None} == {}
