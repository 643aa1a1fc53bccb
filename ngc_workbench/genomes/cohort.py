"""A cohort: how much of a release a project may see, as its approval says.

All of it, or less: some people (a list, or a filter over phenotypes, or both), some regions (or genes), some fields of
the genotypes, some columns of the phenotypes. It is written as a TOML file and stored with the approval; a list of
people is stored in the custodian zone under the hash of its content. What it comes to is worked out anew each time a
view is built: a filter is asked of the phenotypes of the release, and people who opted out are left out of either.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ngc_workbench.errors import InputError, IntegrityError
from ngc_workbench.genomes import genes, store
from ngc_workbench.genomes.individuals import ID_PATTERN
from ngc_workbench.genomes.phenotypes import Filter, columns_from, read_values
from ngc_workbench.genomes.regions import Region, merged, read_bed
from ngc_workbench.model import Individual, Release
from ngc_workbench.pseudonyms import Keyring, find_cpr
from ngc_workbench.settings import Settings

_KEYS = {"people_file", "where", "regions", "regions_file", "genes", "entry_fields", "columns"}
_LISTS = ("regions", "genes", "entry_fields", "columns")


@dataclass(frozen=True)
class Cohort:
    """What an approval covers of a release. Empty fields mean: all.

    `people` is the hash of a stored list, `where` a filter over phenotypes (`phenotypes.Filter`, canonical), `regions`
    texts of `Region`, `genes` the names that some of them came from, `entry_fields` and `columns` names.
    """

    people: str = ""
    where: str = ""
    regions: tuple[str, ...] = ()
    genes: tuple[str, ...] = ()
    entry_fields: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None

    def record(self) -> dict[str, Any]:
        """As an approval stores it: JSON values, what is not restricted left out."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in found.items()
            if value or (name == "columns" and value is not None)
        }

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Cohort:
        """From `record`. Raises IntegrityError for a key that it can't have written: nothing is widened in silence."""
        if not record.keys() <= {one.name for one in fields(cls)}:
            raise IntegrityError("An approval's cohort is damaged.", "Withdraw the approval and grant it anew.")
        known: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in record.items()
        }
        return cls(**known)

    def describe(self) -> str:
        """In words, for a person; empty when it is all of the release."""
        parts = []
        if self.people:
            parts.append("a list of people")
        if self.where:
            parts.append(f"people with {self.where}")
        if self.regions:
            parts.append(f"{len(self.regions)} regions" + (f" ({len(self.genes)} genes)" if self.genes else ""))
        if self.entry_fields:
            parts.append(f"fields {', '.join(self.entry_fields)}")
        if self.columns is not None:
            parts.append(f"phenotypes {', '.join(self.columns) or 'none'}")
        return "; ".join(parts)


def read_definition(settings: Settings, db: Session, keyring: Keyring, path: Path, release: Release) -> Cohort:
    """Reads a cohort's TOML file for a release; stores its list of people. Raises InputError with the place."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"{path.name} can't be read as a cohort ({error}).", "It is a TOML file; see the guide."
        ) from error
    unknown = sorted(content.keys() - _KEYS)
    if unknown:
        raise InputError(
            f"{path.name}: there is no key {', '.join(unknown)}.", f"A cohort has {', '.join(sorted(_KEYS))}."
        )
    for key in _LISTS:
        value = content.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise InputError(f"{path.name}: {key} must be a list of texts.", f'For instance: {key} = ["a", "b"].')
    for key in ("people_file", "where", "regions_file"):
        if not isinstance(content.get(key, ""), str):
            raise InputError(f"{path.name}: {key} must be a text.")
    manifest = release.manifest
    columns = columns_from(manifest["phenotypes"])
    where = str(Filter.parse(content["where"], columns)) if content.get("where") else ""
    chosen = content.get("columns")
    return Cohort(
        people=_people(settings, db, keyring, path, content.get("people_file"), release),
        where=where,
        regions=_regions(settings, path, content, str(manifest["genome"])),
        genes=tuple(sorted(set(content.get("genes", [])))),
        entry_fields=_known(
            path, "entry_fields", content.get("entry_fields", []), manifest["entry_fields"], needed="GT"
        ),
        columns=None if chosen is None else _known(path, "columns", chosen, [column.name for column in columns]),
    )


def _known(path: Path, key: str, chosen: Sequence[str], known: Sequence[str], *, needed: str = "") -> tuple[str, ...]:
    wrong = [name for name in chosen if name not in known]
    if wrong:
        raise InputError(
            f"{path.name}: {key} names {wrong[0][:40]!r}, which the release does not have.",
            f"It has {', '.join(known)}.",
        )
    if chosen and needed in known and needed not in chosen:
        raise InputError(
            f"{path.name}: {key} leaves out {needed}.", "A view without genotypes is a table of phenotypes."
        )
    # In the release's order: the same choice is the same cut.
    found = tuple(name for name in known if name in chosen)
    return () if key == "entry_fields" and found == tuple(known) else found


def _regions(settings: Settings, path: Path, content: Mapping[str, Any], genome: str) -> tuple[str, ...]:
    asked = [key for key in ("regions", "regions_file", "genes") if key in content]
    found = [Region.parse(text, genome) for text in content.get("regions", [])]
    if content.get("regions_file"):
        found += read_bed(path.parent / content["regions_file"], genome)
    if content.get("genes"):
        found += genes.regions_of(settings, genome, content["genes"])
    # An empty list would read as: no restriction.
    if asked and not found:
        raise InputError(f"{path.name}: {asked[0]} names no region.", "Leave it out to mean the whole genome.")
    return tuple(str(region) for region in merged(found, genome))


def _people(settings: Settings, db: Session, keyring: Keyring, path: Path, name: str | None, release: Release) -> str:
    """Stores the list of people of a file (sample names, CPR numbers or internal ids, one a line); gives its hash."""
    if name is None:
        return ""
    try:
        lines = (path.parent / name).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{Path(name).name} can't be read.", "Give a text file in UTF-8, one person a line."
        ) from error
    held = set(store.read_columns(store.release_folder(settings, release.dataset_name, release.name)))
    known: dict[str, str] = {}
    for one in db.scalars(select(Individual).where(Individual.dataset_name == release.dataset_name)):
        for tag in (one.internal_id, one.sample_tag, one.cpr_tag):
            if tag is not None:
                known[tag] = one.internal_id
    found, wrong = set(), []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text:
            continue
        tag = text if text.startswith(ID_PATTERN[:4]) else keyring.sample_tag(release.dataset_name, text)
        if tag not in known and find_cpr(text) == [text]:
            tag = keyring.cpr_tag(text)
        if known.get(tag) in held:
            found.add(known[tag])
        else:
            wrong.append(number)
    if wrong:
        raise InputError(
            f"{Path(name).name}: {len(wrong)} lines name nobody in {release.dataset_name}/{release.name}, "
            f"the first is line {wrong[0]}.",
            "Give sample names, CPR numbers or internal ids of people in the release.",
        )
    if not found:
        raise InputError(f"{Path(name).name} names nobody.", "Leave people_file out to mean everybody.")
    content = "".join(f"{internal_id}\n" for internal_id in sorted(found)).encode()
    digest = hashlib.sha256(content).hexdigest()
    _keep(_list_path(settings, digest), content)
    return digest


def _list_path(settings: Settings, digest: str) -> Path:
    return settings.custody_dir / "cohorts" / f"{digest}.txt"


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_name(f"{store.BUILDING}{secrets.token_hex(4)}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def selected(settings: Settings, cohort: Cohort, folder: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Internal ids of a cohort's people in the release in `folder`, in stored order. Raises IntegrityError."""
    stored = store.read_columns(folder)
    if cohort.people:
        try:
            content = _list_path(settings, cohort.people).read_bytes()
        except OSError:
            content = b""
        if hashlib.sha256(content).hexdigest() != cohort.people:
            raise IntegrityError(
                "The list of people of an approval is missing or damaged.", "Restore custody/cohorts from its backup."
            )
        listed = set(content.decode().split())
        stored = [internal_id for internal_id in stored if internal_id in listed]
    if cohort.where:
        columns = columns_from(manifest["phenotypes"])
        asked = Filter.parse(cohort.where, columns)
        fitting = {
            internal_id
            for internal_id, values in read_values(folder / "phenotypes.tsv", columns)
            if asked.matches(values)
        }
        stored = [internal_id for internal_id in stored if internal_id in fitting]
    return stored
