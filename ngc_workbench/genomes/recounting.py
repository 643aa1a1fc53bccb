"""Counting what stands in views after a refresh: from their own files, by Hail, against the release and the opt-outs.

That somebody is gone is shown from both sides: no id in the view is theirs, and each column that there is holds the
genotypes of the person whose id it bears, as the release has them. A twin, or a sample taken in twice, has the genotypes
of somebody who is left out by right: that is reported (`alike`), and is no fault.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ngc_workbench.errors import IntegrityError
from ngc_workbench.genomes import store
from ngc_workbench.genomes.optouts import people_of
from ngc_workbench.genomes.worker import Mount, Worker
from ngc_workbench.model import Project, Release, View
from ngc_workbench.pseudonyms import Keyring
from ngc_workbench.settings import Settings

_COMPARED_GENOTYPES = 4_000_000
"""Genotypes of a view that are compared with the release's; all people, the first rows."""
_FOLDERS = {"matrix": "matrix.mt", "vds": "genomes.vds"}


@dataclass(frozen=True)
class Recounted:
    """What was counted in one view. `faults` is empty when all is as it must be.

    `columns`: people by Hail's count; `rows`: variants; `read`: rows of which entries were counted and genotypes
    compared; `least` and `most`: entries in one of them; `called`: calls that are not missing, the fewest and the most
    of a person; `alike`: columns whose genotypes there equal those of somebody who is left out; `ids` and `carried`:
    SHA-256 over the ids and over what each column carries, in stored order.
    """

    view: int
    project: str
    dataset: str
    release: str
    folder: str
    digest: str
    columns: int
    rows: int
    read: int
    least: int
    most: int
    called: tuple[int, int]
    left_out: int
    alike: int
    ids: str
    carried: str
    faults: tuple[str, ...]


def recount_release(
    settings: Settings,
    release: Release,
    views: Sequence[tuple[View, Project]],
    left_out: frozenset[str],
    progress: Callable[[str], None],
) -> list[Recounted]:
    """Counts views of one release, one after the other. Call it with the custodian's lock held.

    A view that can't be read has that for a fault. Raises Unavailable (Docker, memory, disk).
    """
    folder = store.release_folder(settings, release.dataset_name, release.name)
    kind = str(release.manifest.get("kind", "matrix"))
    expected = _Expected(Keyring.of(settings), store.read_columns(folder), left_out)
    found: list[Recounted] = []
    while len(found) < len(views):
        rest = views[len(found) :]
        mounts = [Mount(folder / _FOLDERS[kind], "/release")]
        mounts += [
            Mount(place, f"/views/{number}")
            for number, (view, _) in enumerate(rest)
            if (place := settings.views_dir / view.project_name / view.folder).is_dir()
        ]
        with Worker(settings, "recount", mounts, progress) as worker:
            for number, (view, project) in enumerate(rest):
                progress(f"Counting view {len(found) + 1} of {len(views)} of {release.dataset_name}/{release.name}")
                listed = people_of(settings, view, release)
                try:
                    said = worker.call("recount", view=number, kind=kind, genotypes=_COMPARED_GENOTYPES)
                except IntegrityError as error:
                    # The worker ended with this fault; the views that it did not come to are counted by the next one.
                    found.append(_unreadable(view, release, left_out, error.what))
                    break
                found.append(_judged(view, release, project, said, listed, expected))
    return found


@dataclass(frozen=True)
class _Expected:
    """Who may be in views of a release, and who not."""

    keyring: Keyring
    everybody: list[str]
    left_out: frozenset[str]

    def by_pseudonym(self, project: Project) -> dict[str, str]:
        """Internal id by the project's pseudonym, of everybody in the release."""
        of = self.keyring.pseudonymiser(project.name, project.key_version).of
        return {of(internal_id): internal_id for internal_id in self.everybody}


def _judged(
    view: View, release: Release, project: Project, said: dict[str, Any], listed: list[str] | None, expected: _Expected
) -> Recounted:
    """What a view holds, against what it must hold."""
    people = expected.by_pseudonym(project)
    first = said["halves"][0]
    ids: list[str] = first["ids"]
    known = [people.get(one) for one in ids]
    genotypes = {internal_id: (calls, digest) for internal_id, calls, digest in said["release"]}
    carried = [(calls, digest) for _, calls, digest in said["carried"]]
    theirs = {genotypes[one] for one in expected.left_out if one in genotypes}
    rules = {
        "somebody who must be left out has an id in it": not expected.left_out.intersection(one for one in known if one),
        "an id is nobody's": None not in known,
        "an id stands twice": len(set(ids)) == len(ids),
        "its ids are not those of the list that it was made from": known == listed,
        "it has another number of people than recorded": len(ids) == view.people,
        "it has another number of variants than recorded": first["rows"] == view.variants,
        "its rows have another number of entries than people": all(
            half["read"] == 0 or half["least"] == half["most"] == len(half["ids"]) for half in said["halves"]
        ),
        "its parts have different people": all(
            part["ids"] == ids and part.get("people", len(ids)) == len(ids) for part in (*said["halves"], *said["plink"])
        ),
        "genotypes do not stand at the ids of their people": [
            one for one, _, _ in said["carried"]
        ] == ids and carried == [genotypes.get(one or "") for one in known],
    }  # fmt: skip
    return Recounted(
        view=view.id, project=view.project_name, dataset=release.dataset_name, release=release.name, folder=view.folder,
        digest=view.digest, columns=len(ids), rows=first["rows"], read=first["read"], least=first["least"] or 0,
        most=first["most"] or 0, called=(min(said["called"], default=0), max(said["called"], default=0)),
        left_out=len(expected.left_out), alike=sum(pair[0] > 0 and pair in theirs for pair in carried),
        ids=_sha256(ids), carried=_sha256(f"{calls} {digest}" for calls, digest in carried),
        faults=tuple(text for text, holds in rules.items() if not holds),
    )  # fmt: skip


def _unreadable(view: View, release: Release, left_out: frozenset[str], what: str) -> Recounted:
    """A view that Hail could not read."""
    return Recounted(
        view=view.id, project=view.project_name, dataset=release.dataset_name, release=release.name, folder=view.folder,
        digest=view.digest, columns=0, rows=0, read=0, least=0, most=0, called=(0, 0), left_out=len(left_out), alike=0,
        ids="", carried="", faults=(f"it can't be read: {what}",),
    )  # fmt: skip


def _sha256(lines: Iterable[str]) -> str:
    """Over the lines, a line feed after each."""
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
