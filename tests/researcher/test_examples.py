"""The example notebooks, and their way into a person's home."""

from __future__ import annotations

import json
import re

import nbformat
import pytest

from ngc_workbench.researcher import examples
from ngc_workbench.settings import ROOT

NOTEBOOKS = sorted((ROOT / "example_notebooks").glob("*.ipynb"))


@pytest.fixture
def home(tmp_path, monkeypatch):
    source = tmp_path / "image"
    source.mkdir()
    (source / "01-a.ipynb").write_text("{}")
    monkeypatch.setenv("NGC_EXAMPLES", str(source))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_missing_ones_are_copied_and_ones_own_stay(home):
    """A second time copies what is missing and leaves changed notebooks alone."""
    assert examples.notebooks() == [home / "examples/01-a.ipynb"]
    (home / "examples/01-a.ipynb").write_text('{"mine": 1}')
    examples.notebooks()
    assert json.loads((home / "examples/01-a.ipynb").read_text()) == {"mine": 1}
    assert [at.name for at in (home / "examples").iterdir()] == ["01-a.ipynb"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebooks_are_stored_clean(path):
    """Valid, without outputs, with an introduction in Danish, without an address outside."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert "På dansk" in notebook.cells[0].source
    assert not re.search(r"https?://|\b(wget|curl|pip install)\b", "\n".join(cell.source for cell in code))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebooks_are_in_the_list(path):
    """The README names each of them."""
    assert path.name in (ROOT / "example_notebooks/README.md").read_text(encoding="utf-8")
