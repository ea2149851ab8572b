"""The example notebook, executed cell by cell on a real resumed run."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "docs" / "examples" / "analyze.ipynb"


def test_the_notebook_runs(resumed_run, copy_run, tmp_path, monkeypatch):
    run = copy_run(resumed_run, tmp_path / "run")
    monkeypatch.setenv("DRIFT_RUN", str(run))
    monkeypatch.setenv("DRIFT_N", "3")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    outputs = [o for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs]
    assert not [o for o in outputs if o.output_type == "error"]
    pages = [o.data["text/html"] for o in outputs if "text/html" in o.get("data", {})]
    assert any("INCONCLUSIVE" in page or "NOISE" in page for page in pages)  # the summary, and the table
    assert any("image/png" in o.get("data", {}) for o in outputs)
