"""Keys and people for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ngc_workbench.model import Dataset, Individual, OptOut, Project
from ngc_workbench.pseudonyms import Keyring

PEOPLE = 5
KNOWN = "61027012{:02d}"
STRANGER = "6203801234"
"""Opted out, and in no dataset."""


@pytest.fixture
def stored(settings, database, add_person) -> Callable[..., None]:
    """Fills the store under version 1: five people (the last without CPR number), four opt-outs, two projects."""
    add_person("karen", "custodian")
    add_person("alma", "researcher")

    def fill() -> None:
        keyring = Keyring.of(settings)
        with database.writing() as db:
            db.add(Dataset(name="cohort"))
            for name in ("one", "two"):
                db.add(Project(name=name, title="t", purpose="p", ethics_approval="e", state="active"))
            db.flush()
            for number in range(PEOPLE):
                sample, cpr = f"HG{number}", KNOWN.format(number) if number < PEOPLE - 1 else None
                db.add(
                    Individual(
                        internal_id=f"i{number}", dataset_name="cohort", sample_tag=keyring.sample_tag("cohort", sample),
                        cpr_tag=keyring.cpr_tag(cpr) if cpr else None,
                        sealed=keyring.seal({"id": f"i{number}", "sample": sample, "cpr": cpr}),
                    )
                )  # fmt: skip
            db.add_all(
                [
                    OptOut(
                        tag=keyring.cpr_tag(STRANGER), sealed=keyring.seal({"cpr": STRANGER}), source="register", by="guardian"
                    ),
                    # Of a person who is held: recorded before opt-outs were sealed, by number and by sample.
                    OptOut(tag=keyring.cpr_tag(KNOWN.format(0)), sealed=None),
                    OptOut(tag=keyring.sample_tag("cohort", "HG4"), sealed=None),
                    OptOut(
                        tag=keyring.sample_tag("cohort", "HG1"), sealed=keyring.seal({"dataset": "cohort", "sample": "HG1"})
                    ),
                ]
            )  # fmt: skip

    return fill
