"""Who is in a view, by the list that its genotypes were written from."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ngc_workbench.genomes import store
from ngc_workbench.genomes.optouts.left_out import left_out
from ngc_workbench.model import Project, Release, View
from ngc_workbench.settings import Settings


@dataclass(frozen=True)
class Holding:
    """A view in force that holds people who must be left out of it. `held` is None when its list can't be read."""

    view: View
    release: Release
    project: Project
    held: frozenset[str] | None

    @property
    def name(self) -> str:
        """dataset/release."""
        return f"{self.release.dataset_name}/{self.release.name}"


def people_of(settings: Settings, view: View, release: Release) -> list[str] | None:
    """Internal ids of a view's columns in stored order; None when the cut or release that it came from is gone."""
    folder = (
        store.cut_folder(settings, view.cut)
        if view.cut
        else store.release_folder(settings, release.dataset_name, release.name)
    )
    try:
        return store.read_columns(folder)
    except OSError:
        return None


def current_views(db: Session, datasets: frozenset[str] | None = None) -> list[tuple[View, Release, Project]]:
    """Views in force, by project and release; of all datasets, or of these."""
    query = (
        select(View, Release, Project)
        .join(Release, View.release_id == Release.id)
        .join(Project, View.project_name == Project.name)
        .where(View.retired.is_(None))
        .order_by(View.project_name, Release.dataset_name, Release.id, View.id)
    )
    if datasets is not None:
        query = query.where(Release.dataset_name.in_(datasets))
    return [(view, release, project) for view, release, project in db.execute(query)]


def holdings(settings: Settings, db: Session) -> list[Holding]:
    """Views in force that hold somebody who must be left out now, or of which nobody can tell."""
    out: dict[int, frozenset[str]] = {}
    found = []
    for view, release, project in current_views(db):
        if release.id not in out:
            out[release.id] = left_out(db, release)
        if not out[release.id]:
            continue
        people = people_of(settings, view, release)
        held = None if people is None else out[release.id].intersection(people)
        if held is None or held:
            found.append(Holding(view, release, project, held))
    return found
