"""Where the system has no `fcntl` (Windows), everything that trains nothing works."""

import subprocess
import sys

import pytest

WITHOUT = """
import sys
sys.modules["fcntl"] = None
from analyzer.__main__ import main
sys.argv = ["drift", *sys.argv[1:]]
main()
"""


def test_every_module_is_imported():
    code = (
        "import sys; sys.modules['fcntl'] = None; import importlib, pkgutil, analyzer\n"
        "for m in pkgutil.walk_packages(analyzer.__path__, 'analyzer.'):\n"
        "    m.name.endswith('__main__') or importlib.import_module(m.name)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.parametrize(
    ("words", "code"), [(["scan"], 0), (["list"], 0), (["audit"], 0), (["analyze", "--history-only"], 11)]
)
def test_commands_answer(tmp_path, words, code):
    run = tmp_path / "train"
    run.mkdir()
    rows = "\n".join(f"{i},{10 * i if i < 9 else 10 * i - 75},{1 / i},{0.1 * i}" for i in range(1, 13))
    (run / "results.csv").write_text(f"epoch,time,train/box_loss,metrics/mAP50(B)\n{rows}\n")
    (run / "args.yaml").write_text("epochs: 100\n")
    command = [sys.executable, "-c", WITHOUT, words[0], str(run), *words[1:]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stderr
    assert done.returncode == code, done.stderr
