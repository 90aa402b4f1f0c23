"""docs/flowers.ipynb runs from its first cell to its last."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "docs" / "flowers.ipynb"


@pytest.fixture
def saved():
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.mark.slow
def test_it_runs(saved, tmp_path, monkeypatch, checkout):
    monkeypatch.setenv("PYTHONPATH", str(checkout))
    # What is tested is installed already; on Colab it is not.
    saved.cells = [cell for cell in saved.cells if "install" not in cell.metadata.get("tags", [])]
    for cell in saved.cells:
        cell.source = cell.source.replace(
            "epochs=5", 'epochs=1, data="sample", sample_examples=60, cache_dir="cache"'
        )
    NotebookClient(saved, resources={"metadata": {"path": tmp_path}}, timeout=300).execute()
    results = [output for cell in saved.cells for output in cell.get("outputs", [])]
    pages = [output.get("data", {}).get("text/html", "") for output in results]
    assert any("<svg" in page for page in pages)


def test_its_first_code_installs_the_package(saved):
    first = next(cell for cell in saved.cells if cell.cell_type == "code")
    assert first.source == "%pip install -q tf-trainer"


def test_it_is_saved_with_what_it_shows(saved):
    shown = [cell for cell in saved.cells[2:] if cell.cell_type == "code"]
    assert all(cell.outputs for cell in shown)
    assert not [o for cell in shown for o in cell.outputs if o.output_type == "error"]
