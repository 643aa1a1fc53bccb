"""Views: what one project may see of one release, made of files that are the release's own wherever they can be.

A view is made in two stages. Its *mother* holds the genotypes: the release itself, or a cut of it (`cuts`), when the
project's cohort is a part or somebody has opted out. The view shares the mother's row and entry files (hard links) and
has only columns of its own: the project's pseudonyms, in the stored order, with phenotypes. They are written here and not
by Hail (`hail_files`), so a view of a whole release takes the same moment whatever its number of variants.

Before a view is published it is verified (`view_checks`), and searched for what must not be in it (`view_files`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy import update as sql_update
from sqlalchemy.orm import Session

from ngc_workbench import people
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import Conflict, IntegrityError, NotFound
from ngc_workbench.genomes import cohort, cuts, optouts, releases, replaced, store, view_checks, view_files, view_text
from ngc_workbench.genomes.cohort import Cohort
from ngc_workbench.genomes.phenotypes import columns_from, for_view, read_values, write_values
from ngc_workbench.genomes.phenotypes.dates import shift_days
from ngc_workbench.model import Approval, Individual, Project, Release, View, utcnow
from ngc_workbench.model import Session as SessionRow
from ngc_workbench.policy import Decision
from ngc_workbench.policy.names import slug
from ngc_workbench.policy.views import may_build
from ngc_workbench.pseudonyms import Keyring
from ngc_workbench.settings import Settings

_RUNNING = ("starting", "running", "paused")


def view_folder(settings: Settings, view: View) -> Path:
    """The folder of a view, as a session mounts it at /data/<dataset>/<release>."""
    return (settings.views_dir / view.project_name / view.folder).resolve()


@dataclass(frozen=True)
class _Plan:
    """What is to be built, read in one transaction. `kept` are internal ids in stored order, `left_out` those of the
    cohort who opted out; `samples` the names that must not be in the view.
    """

    project: Project
    release: Release
    cohort: Cohort
    kept: tuple[str, ...]
    left_out: frozenset[str]
    folder: str
    samples: tuple[str, ...]

    @property
    def definition(self) -> cuts.Definition:
        """The genotypes that the view shares."""
        manifest = self.release.manifest
        fields = self.cohort.entry_fields or tuple(manifest["entry_fields"])
        return cuts.Definition(store.digest_of(manifest), self.kept, self.cohort.regions, fields)


def build_view(
    settings: Settings,
    database: Database,
    log: AuditLog,
    *,
    project: str,
    dataset: str,
    release: str,
    actor: str,
    progress: Callable[[str], None] = store.quiet,
    grace: timedelta | None = None,
) -> View:
    """Makes, verifies and publishes the view of a project; the one that it had of this release is retired.

    Sessions that mount the old one are told, and stopped after `grace` (default: the setting view_replaced_grace_min).
    Raises Refused (role, release, project or approval; recorded), NotFound, Conflict (an opt-out came in meanwhile),
    Unavailable, IntegrityError. Unless it returns, the old view stays as it was.
    """
    name = f"{dataset}/{release}"
    slug(project, "project")
    people.require(database, log, actor, "genomes.view", kind="view.built", project=project, subject=name)
    _approve(database, log, actor, project, dataset, release)
    with store.locked(settings, progress):
        store.remove_leftovers(settings)
        keyring = Keyring.of(settings)
        _remove_unused(settings, database, project)
        with database.reading() as db:
            plan = _plan(settings, db, keyring, project, dataset, release)
        source = store.release_folder(settings, dataset, release)
        mother = cuts.ensure(settings, source, plan.release.manifest, plan.definition, progress)
        target = settings.views_dir / project / plan.folder
        with store.building(target, mode=0o755, shared=view_files.SHARED) as draft:
            digest = _build(settings, keyring, plan, source, draft, mother)
        ends = utcnow() + (grace if grace is not None else timedelta(minutes=settings.view_replaced_grace_min))
        try:
            view = _publish(database, log, actor, plan, mother, digest, ends)
        except BaseException:
            store.remove_tree(target)
            raise
        _remove_unused(settings, database, project)
        _remove_unused_cuts(settings, database)
    return view


def clean(settings: Settings, database: Database) -> None:
    """Removes view folders and cuts that nobody uses any more, of all projects. Takes the lock."""
    with store.locked(settings, store.quiet):
        store.remove_leftovers(settings)
        for folder in settings.views_dir.iterdir() if settings.views_dir.is_dir() else ():
            _remove_unused(settings, database, folder.name)
        _remove_unused_cuts(settings, database)


def _approval(db: Session, project: str, release_id: int) -> Approval | None:
    """The newest approval of a project for a release that counts today."""
    return db.scalar(
        select(Approval)
        .where(
            Approval.project_name == project,
            Approval.release_id == release_id,
            Approval.withdrawn.is_(None),
            Approval.valid_until >= utcnow().date(),
        )
        .order_by(Approval.id.desc())
        .limit(1)
    )


def _decide(db: Session, project: str, dataset: str, release: str) -> Decision:
    """The policy's answer, from the facts of this moment. Raises NotFound."""
    row = db.get(Project, project)
    if row is None:
        raise NotFound(f"There is no project {project}.", "`ngc-workbench project list` shows what there is.")
    found = releases.find(db, dataset, release)
    return may_build(
        project_state=row.state, release_state=found.state, approved=_approval(db, project, found.id) is not None
    )


def _approve(database: Database, log: AuditLog, actor: str, project: str, dataset: str, release: str) -> None:
    with database.writing() as db:
        decision = _decide(db, project, dataset, release)
        if not decision:
            log.append(
                db, "view.built", actor=actor, decision="deny", reason=decision.reason, project=project,
                subject=f"{dataset}/{release}",
            )  # fmt: skip
    decision.or_refuse()


def _plan(settings: Settings, db: Session, keyring: Keyring, project: str, dataset: str, release: str) -> _Plan:
    row = releases.find(db, dataset, release)
    folder = store.release_folder(settings, dataset, release)
    releases.verify_manifest(folder, row.manifest)
    approval = _approval(db, project, row.id)
    if approval is None:
        raise Conflict("The approval ended while the view was prepared.", "Nothing was built.")
    wanted = Cohort.of(approval.cohort)
    chosen = cohort.selected(settings, wanted, folder, row.manifest)
    out = optouts.left_out(db, row)
    kept = tuple(internal_id for internal_id in chosen if internal_id not in out)
    if not kept:
        raise Conflict(
            f"Nobody is left of {dataset}/{release} for this project.",
            "There is no view to build: its people have opted out, or its cohort fits nobody.",
        )
    number = 1 + db.scalars(select(func.count()).select_from(View).where(View.project_name == project)).one()
    sealed = db.scalars(select(Individual.sealed).where(Individual.dataset_name == dataset))
    return _Plan(
        project=db.get_one(Project, project),
        release=row,
        cohort=wanted,
        kept=kept,
        left_out=frozenset(chosen) - frozenset(kept),
        folder=f"{dataset}-{release}-{number}",
        samples=tuple(str(keyring.unseal(one)["sample"]) for one in sealed),
    )


def _build(settings: Settings, keyring: Keyring, plan: _Plan, source: Path, draft: Path, mother: cuts.Mother) -> str:
    """Fills the view's folder and verifies it; gives the digest of its files."""
    project, manifest = plan.project, plan.release.manifest
    pseudonym_of = keyring.pseudonymiser(project.name, project.key_version).of
    shift = partial(shift_days, keyring.date_key(project.name, project.key_version))
    shown = for_view(columns_from(manifest["phenotypes"]), plan.cohort.columns, shift)
    stored = dict(read_values(source / "phenotypes.tsv", columns_from(manifest["phenotypes"])))
    nothing: tuple[Any, ...] = (None,) * len(shown.columns)

    def values_of(internal_id: str) -> tuple[Any, ...]:
        values = stored.get(internal_id)
        return nothing if values is None else tuple(shown.values(internal_id, values))

    ids = [pseudonym_of(internal_id) for internal_id in plan.kept]
    values = [values_of(internal_id) for internal_id in plan.kept]
    fields = [(column.name, column.type) for column in shown.columns]
    view_files.assemble(draft, mother, ids=ids, fields=fields, values=values)
    # In the order of pseudonyms: one link less between two projects' tables.
    rows = sorted(zip(ids, values, strict=True), key=lambda row: row[0])
    write_values(draft / "phenotypes.tsv", shown.columns, rows)
    text = view_text.describe(
        dataset=plan.release.dataset_name, release=plan.release.name, project=project.name, kind=mother.kind,
        people=len(plan.kept), variants=mother.variants, genome=manifest["genome"], fields=plan.definition.entry_fields,
        columns=[column.name for column in shown.columns], plink=mother.plink, cohort=plan.cohort.describe(),
    )  # fmt: skip
    (draft / "README.md").write_text(text, encoding="utf-8")
    view_files.close(draft)
    view_checks.verify(draft, mother, pseudonym_of=pseudonym_of, fields=fields, values_of=values_of)
    found = view_files.search(draft, view_files.Forbidden.of(plan.samples, settings.custody_dir))
    if found:
        raise IntegrityError(f"The view was not published: it holds {found[0]}.", "Call the security officer.")
    return view_files.digest(draft, mother.manifest["files"])


def _publish(
    database: Database, log: AuditLog, actor: str, plan: _Plan, mother: cuts.Mother, digest: str, ends: datetime
) -> View:
    """Decision, rows and events, in one transaction, from the facts of this moment."""
    dataset, release, project = plan.release.dataset_name, plan.release.name, plan.project.name
    name = f"{dataset}/{release}"
    with database.writing() as db:
        people.holds(people.get(db, actor), "genomes.view").or_refuse()
        decision = _decide(db, project, dataset, release).or_refuse()
        if optouts.left_out(db, plan.release) & frozenset(plan.kept):
            raise Conflict("Somebody opted out while the view was built; it was not published.", "Build it again.")
        approval = _approval(db, project, plan.release.id)
        if approval is None or Cohort.of(approval.cohort) != plan.cohort:
            raise Conflict("The approval changed while the view was built; it was not published.", "Build it again.")
        old = db.scalars(
            select(View).where(View.project_name == project, View.release_id == plan.release.id, View.retired.is_(None))
        ).all()
        view = View(
            project_name=project, release_id=plan.release.id, folder=plan.folder, people=len(plan.kept),
            variants=mother.variants, digest=digest, cut=mother.key,
        )  # fmt: skip
        db.add(view)
        log.append(
            db, "view.built", actor=actor, decision="allow", reason=decision.reason, project=project, subject=name,
            details={"folder": plan.folder, "individuals": len(plan.kept), "left_out": len(plan.left_out), "variants": mother.variants, "digest": digest,
                "cohort": plan.cohort.describe()},
        )  # fmt: skip
        for one in old:
            db.execute(sql_update(View).where(View.id == one.id).values(retired=utcnow()))
            log.append(
                db, "view.retired", actor=actor, decision="none", reason="view.replaced", project=project, subject=name,
                details={"folder": one.folder},
            )  # fmt: skip
        replaced.tell_sessions(db, log, old, ends=ends, actor=actor)
        db.flush()
        db.refresh(view)
        _ = view.release  # loaded, so that it can be read after the transaction
    return view


def _remove_unused(settings: Settings, database: Database, project: str) -> None:
    """Removes view folders of a project that no view in force names, unless a session may have one mounted."""
    base = settings.views_dir / project
    if not base.is_dir():
        return
    with database.reading() as db:
        current = set(db.scalars(select(View.folder).where(View.project_name == project, View.retired.is_(None))))
        running = db.scalar(
            select(SessionRow.id).where(SessionRow.project_name == project, SessionRow.state.in_(_RUNNING)).limit(1)
        )
        known = set(db.scalars(select(View.folder).where(View.project_name == project)))
    for folder in base.iterdir():
        if folder.name not in known or (folder.name not in current and running is None):
            store.remove_tree(folder)


def _remove_unused_cuts(settings: Settings, database: Database) -> None:
    """Removes cuts that no view in force names and no view's folder shares files with."""
    with database.reading() as db:
        named = frozenset(db.scalars(select(View.cut).where(View.retired.is_(None))))
    cuts.remove_unused(settings, named)
