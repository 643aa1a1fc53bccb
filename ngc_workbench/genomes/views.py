"""Views: what one project may see of one release, made of files that are the release's own wherever they can be.

A view is made in two stages. The *cut* holds the genotypes without the people who are left out: when nobody is, the
release itself serves; else a matrix is written once and kept under a hash of its definition, for every project that
asks for the same. The *view* shares the cut's row and entry files (hard links) and has only columns of its own: the
project's pseudonyms, in the stored order, with phenotypes.

Before a view is published it is verified: pseudonyms and phenotypes by position, genotypes by digest, shared files by
inode (a cut was compared with its release in full when it was written), and a search for what must not be there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy import update as sql_update
from sqlalchemy.orm import Session

from ngc_workbench import people
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import Conflict, IntegrityError, NotFound
from ngc_workbench.genomes import individuals, releases, store, view_files
from ngc_workbench.genomes.phenotypes import columns_from, read_values, write_values
from ngc_workbench.genomes.worker import Mount, Worker
from ngc_workbench.model import Approval, Individual, Project, Release, View, utcnow
from ngc_workbench.model import Session as SessionRow
from ngc_workbench.policy import Decision
from ngc_workbench.policy.names import slug
from ngc_workbench.policy.views import may_build
from ngc_workbench.pseudonyms import Keyring
from ngc_workbench.settings import Settings

_COMPARED_GENOTYPES = 2_000_000
"""Genotypes compared by digest between view and mother: a sample of the first rows, so that the time of a view does not
grow with the matrix. The rest is the mother's by inode.
"""
_RUNNING = ("starting", "running", "paused")


def view_folder(settings: Settings, view: View) -> Path:
    """The folder of a view, as a session mounts it at /data/<dataset>/<release>."""
    return (settings.views_dir / view.project_name / view.folder).resolve()


@dataclass(frozen=True)
class _Plan:
    """What is to be built, read in one transaction. `kept` and `left_out` are internal ids, `kept` in stored order."""

    release: Release
    kept: tuple[str, ...]
    left_out: frozenset[str]
    folder: str
    samples: tuple[str, ...]

    @property
    def key(self) -> str:
        """The name of the cut: a hash of release, people left out and fields."""
        manifest = self.release.manifest
        return store.digest_of([store.digest_of(manifest), sorted(self.left_out), manifest["entry_fields"]])[:32]


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
) -> View:
    """Makes, verifies and publishes the view of a project; the one that it had of this release is retired.

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
        target = settings.views_dir / project / plan.folder
        with store.building(target, mode=0o755) as draft, _mother(settings, plan) as mother:
            variants, digest = _build(settings, keyring, plan, project, draft, mother, progress)
        try:
            view = _publish(database, log, actor, project, plan, variants, digest)
        except BaseException:
            store.remove_tree(target)
            raise
        _remove_unused(settings, database, project)
        _remove_old_cuts(settings, plan)
    return view


def _decide(db: Session, project: str, dataset: str, release: str) -> Decision:
    """The policy's answer, from the facts of this moment. Raises NotFound."""
    row = db.get(Project, project)
    if row is None:
        raise NotFound(f"There is no project {project}.", "`ngc-workbench project list` shows what there is.")
    found = releases.find(db, dataset, release)
    today = utcnow().date()
    approval = db.scalar(
        select(Approval.id).where(
            Approval.project_name == project,
            Approval.release_id == found.id,
            Approval.withdrawn.is_(None),
            Approval.valid_until >= today,
        )
    )
    return may_build(project_state=row.state, release_state=found.state, approved=approval is not None)


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
    stored = [internal_id for internal_id, _ in store.read_columns(folder)]
    out = individuals.opted_out(db, dataset)
    kept = tuple(internal_id for internal_id in stored if internal_id not in out)
    if not kept:
        raise Conflict(f"Nobody is left in {dataset}/{release}: all have opted out.", "There is no view to build.")
    number = 1 + db.scalars(select(func.count()).select_from(View).where(View.project_name == project)).one()
    sealed = db.scalars(select(Individual.sealed).where(Individual.dataset_name == dataset))
    return _Plan(
        release=row,
        kept=kept,
        left_out=frozenset(stored) - frozenset(kept),
        folder=f"{dataset}-{release}-{number}",
        samples=tuple(str(keyring.unseal(one)["sample"]) for one in sealed),
    )


@dataclass(frozen=True)
class _Mother:
    """The matrix that a view shares its genotypes with. `source` is set when it is a cut that must be written first."""

    folder: Path
    source: Path | None

    @property
    def mounts(self) -> list[Mount]:
        """What the worker must see."""
        if self.source is None:
            return [Mount(self.folder / "matrix.mt", "/mother")]
        return [Mount(self.source / "matrix.mt", "/release"), Mount(self.folder, "/cut", writable=True)]

    @property
    def inside(self) -> str:
        """Its place in the worker."""
        return "/mother" if self.source is None else "/cut/matrix.mt"


@contextmanager
def _mother(settings: Settings, plan: _Plan) -> Iterator[_Mother]:
    """The release, a cut that is there already, or a new one, which becomes whole at the end of the block."""
    release = store.release_folder(settings, plan.release.dataset_name, plan.release.name)
    cut = store.cut_folder(settings, plan.key)
    if not plan.left_out:
        yield _Mother(release, None)
    elif cut.is_dir():
        yield _Mother(cut, None)
    else:
        with store.building(cut) as draft:
            yield _Mother(draft, release)


def _build(
    settings: Settings,
    keyring: Keyring,
    plan: _Plan,
    project: str,
    draft: Path,
    mother: _Mother,
    progress: Callable[[str], None],
) -> tuple[int, str]:
    """Fills the view's folder and verifies it; gives the number of variants and the digest of its files."""
    manifest = plan.release.manifest
    pseudonymiser = keyring.pseudonymiser(project)
    pseudonyms = [pseudonymiser.of(internal_id) for internal_id in plan.kept]
    columns = columns_from(manifest["phenotypes"])
    release_folder = store.release_folder(settings, plan.release.dataset_name, plan.release.name)
    known = dict(read_values(release_folder / "phenotypes.tsv", columns))
    values = [known.get(internal_id, (None,) * len(columns)) for internal_id in plan.kept]
    fields = manifest["entry_fields"]
    order: dict[str, Any] = {
        "internal_ids": list(plan.kept),
        "pseudonyms": pseudonyms,
        "values": values,
        "mother": mother.inside,
    }
    with Worker(settings, "view", [*mother.mounts, Mount(draft, "/out", writable=True)], progress) as worker:
        if mother.source is not None:
            _cut(plan, mother, worker.call("cut", keep=list(plan.kept), fields=fields))
        cut_manifest = store.read_manifest(mother.folder)
        variants = int(cut_manifest["counts"]["variants"])
        pairs = [[column.name, column.type] for column in columns]
        done = worker.call("view_columns", columns=pairs, **order)
        matrix = mother.folder / "matrix.mt"
        view_files.assemble(matrix, draft, done["metadata"])
        view_files.verify_shared(matrix, draft)
        rows = max(1, min(variants, _COMPARED_GENOTYPES // len(plan.kept)))
        worker.call("verify_view", columns=[column.name for column in columns], fields=fields, rows=rows, **order)
    # In the order of pseudonyms: one link less between two projects' tables.
    write_values(draft / "phenotypes.tsv", columns, sorted(zip(pseudonyms, values, strict=True)))
    text = view_files.describe(
        dataset=plan.release.dataset_name, release=plan.release.name, project=project, people=len(plan.kept),
        variants=variants, genome=manifest["genome"], fields=fields, columns=[column.name for column in columns],
    )  # fmt: skip
    (draft / "README.md").write_text(text, encoding="utf-8")
    store.readable_by_all(draft)
    found = view_files.search(draft, view_files.Forbidden.of(plan.samples, settings.custody_dir))
    if found:
        raise IntegrityError(f"The view was not published: it holds {found[0]}.", "Call the security officer.")
    return variants, _digest(draft, cut_manifest["files"])


def _cut(plan: _Plan, mother: _Mother, done: dict[str, Any]) -> None:
    """Completes a cut that the worker has written and compared with its release."""
    store.write_columns(mother.folder, list(zip(plan.kept, done["digests"], strict=True)))
    store.readable_by_all(mother.folder / "matrix.mt")
    store.write_json(
        mother.folder / "manifest.json",
        {
            "format": 1,
            "release": store.digest_of(plan.release.manifest),
            "counts": {"samples": len(plan.kept), "variants": done["rows"]},
            "files": store.file_hashes(mother.folder),
        },
    )


def _digest(view: Path, mother_files: dict[str, str]) -> str:
    """SHA-256 over the hashes of all files; those of shared files are the mother's, taken when it was written."""
    every = store.file_hashes_of(view, [path.relative_to(view).as_posix() for path in view_files.own_files(view)])
    matrix = view / view_files.MATRIX
    for path in view_files.shared_files(view):
        every[path.relative_to(view).as_posix()] = mother_files[f"matrix.mt/{path.relative_to(matrix).as_posix()}"]
    return store.digest_of(every)


def _publish(
    database: Database, log: AuditLog, actor: str, project: str, plan: _Plan, variants: int, digest: str
) -> View:
    """Decision, rows and events, in one transaction, from the facts of this moment."""
    dataset, release = plan.release.dataset_name, plan.release.name
    name = f"{dataset}/{release}"
    with database.writing() as db:
        people.holds(people.get(db, actor), "genomes.view").or_refuse()
        decision = _decide(db, project, dataset, release).or_refuse()
        if individuals.opted_out(db, dataset) & frozenset(plan.kept):
            raise Conflict("Somebody opted out while the view was built; it was not published.", "Build it again.")
        old = db.scalars(
            select(View).where(View.project_name == project, View.release_id == plan.release.id, View.retired.is_(None))
        ).all()
        view = View(
            project_name=project, release_id=plan.release.id, folder=plan.folder, people=len(plan.kept),
            variants=variants, digest=digest,
        )  # fmt: skip
        db.add(view)
        log.append(
            db, "view.built", actor=actor, decision="allow", reason=decision.reason, project=project, subject=name,
            details={"folder": plan.folder, "individuals": len(plan.kept), "left_out": len(plan.left_out), "variants": variants, "digest": digest},
        )  # fmt: skip
        for one in old:
            db.execute(sql_update(View).where(View.id == one.id).values(retired=utcnow()))
            log.append(
                db, "view.retired", actor=actor, decision="none", reason="view.replaced", project=project, subject=name,
                details={"folder": one.folder},
            )  # fmt: skip
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


def _remove_old_cuts(settings: Settings, plan: _Plan) -> None:
    """Removes cuts of this release that no view shares files with any more: they hold people who have opted out since."""
    cuts = settings.custody_dir / "cuts"
    if not cuts.is_dir():
        return
    release = store.digest_of(plan.release.manifest)
    for cut in cuts.iterdir():
        if cut.name == plan.key or store.read_manifest(cut)["release"] != release:
            continue
        parts = (cut / "matrix.mt" / "entries").rglob("part-*")
        if all(part.stat().st_nlink == 1 for part in parts):
            store.remove_tree(cut)
