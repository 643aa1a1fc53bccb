"""Writers of small genomes, and the people and projects of an installation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from ngc_workbench.genomes.bgzf import BgzfWriter
from ngc_workbench.model import Approval, Project
from tests.genomes.cohorts import PHENO, vcf_text


@pytest.fixture
def write_vcf(tmp_path: Path) -> Callable[..., Path]:
    """Writes a VCF: `content` as it is, or `vcf_text` of the arguments; BGZF when the name ends so."""

    def write(name: str = "small.vcf", content: str | bytes | None = None, **parts) -> Path:
        path = tmp_path / name
        content = vcf_text(**parts) if content is None else content
        raw = content.encode() if isinstance(content, str) else content
        if name.endswith((".gz", ".bgz")):
            with BgzfWriter(path) as file:
                file.write(raw)
        else:
            path.write_bytes(raw)
        return path

    return write


@pytest.fixture
def write_pheno(tmp_path: Path) -> Callable[..., Path]:
    """Writes a phenotype table."""

    def write(content: str | bytes = PHENO, name: str = "pheno.tsv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def staff(database, add_person) -> None:
    """Karen is custodian, Sofie support officer, Alma researcher; projects one and two are active."""
    add_person("karen", "custodian")
    add_person("sofie", "support_officer")
    add_person("alma", "researcher")
    with database.writing() as db:
        for name in ("one", "two"):
            db.add(Project(name=name, title="t", purpose="p", ethics_approval="e", state="active"))


@pytest.fixture
def approve(database) -> Callable[..., None]:
    """Approves projects for a release."""

    def grant(release_id: int, *projects: str) -> None:
        with database.writing() as db:
            for project in projects:
                db.add(
                    Approval(
                        project_name=project, release_id=release_id, approved_by="sofie", valid_until=date(2100, 1, 1)
                    )
                )

    return grant
