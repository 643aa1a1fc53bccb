"""The stages of an ingest: what each makes in the draft, and what the next one goes on with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ngc_workbench import __version__
from ngc_workbench.errors import ConfigurationError, Unavailable
from ngc_workbench.genomes import quality, store
from ngc_workbench.genomes.individuals import Member
from ngc_workbench.genomes.ingest.draft import Draft
from ngc_workbench.genomes.ingest.sources import Inside, Sources, digest, kinds, same
from ngc_workbench.genomes.phenotypes import write_values
from ngc_workbench.genomes.preflight import ACCEPTABLE, check_files
from ngc_workbench.genomes.worker import Mount, Worker
from ngc_workbench.model import utcnow
from ngc_workbench.settings import Settings

ROW_FIELDS = ("locus", "alleles")
"""Row fields of a release: INFO fields are cohort-wide counts, or name samples, and stay behind."""

NO_PGEN = "no-pgen"
OPTIONS = ACCEPTABLE | {NO_PGEN: "A release that plink2 can't read has no PGEN."}
"""What an ingest can be told to accept: what the check lets pass, and what is done without."""

Progress = Callable[[str], None]
Assign = Callable[[Sequence[str], Sequence[str]], tuple[list[Member], Sequence[Any]]]
"""Names of samples and the ids that a draft gave them (or none) to people and the phenotype table's columns."""

Begun = tuple[Sources, list[Member], Sequence[Any]]
"""What is known before a genotype is stored: files, people, and the phenotype table's columns."""

_SMALL = 8 << 20
"""Bytes of all files up to which the check takes less time than a container's start."""
_PART_BYTES = 64 << 20
"""Bytes of VCF that Hail stores as one part. With 16 MiB a write took a fifth longer, and a view has links for each part."""
_FEWEST_PARTS = 4


class Run:
    """One ingest at work on its draft."""

    def __init__(
        self, settings: Settings, draft: Draft, paths: Sequence[Path], accept: Collection[str], progress: Progress
    ) -> None:
        self._settings = settings
        self._draft = draft
        self._paths = paths
        self._accept = accept
        self._progress = progress

    def compare_files(self) -> None:
        """Starts afresh when a file's content is not the one that the interrupted run checked."""
        checked = self._draft.results.get("check")
        if checked is not None:
            self._progress("Comparing the files with those of the run before")
            if not same(self._paths, Sources.from_json(checked)):
                self._draft.restart()

    def fill(
        self, assign: Assign, tables: Sequence[tuple[str, Path | None]], name: str
    ) -> tuple[dict[str, Any], list[Member]]:
        """Makes the release's folder and gives it its name. Gives the manifest and the people in stored order."""
        draft = self._draft
        if "whole" in draft.results:
            # Killed between the folder and its row.
            draft.become_release()
            sources = Sources.from_json(draft.results["check"])
            members, _ = assign(sources.samples, draft.results["people"]["ids"])
            if store.digest_of(store.read_manifest(draft.target)) == draft.results["whole"]["manifest"]:
                return store.read_manifest(draft.target), members
            draft.restart()
        store.remove_tree(draft.target)  # of another command, killed before it wrote the row
        inside = Inside(self._paths, draft.work, self._progress)
        mounts = [
            *inside.mounts,
            Mount(draft.release, "/out", writable=True),
            Mount(draft.work, "/job", writable=True),
        ]
        with ExitStack() as stack:
            # Java starts while large files are checked: if they are not sound, it ends again.
            begun = self._begin(assign) if sum(path.stat().st_size for path in self._paths) <= _SMALL else None
            try:
                worker = stack.enter_context(Worker(self._settings, "ingest", mounts, self._progress, wait=False))
            except (Unavailable, ConfigurationError):
                if begun is None:
                    self._begin(assign)  # defects of the files are told first
                raise
            sources, members, columns = begun or self._begin(assign)
            stored = self._genotypes(worker, inside, sources, members)
            stored["quality"] = self._quality(worker, sources, stored, members, columns)
        self._stage(
            "whole", ("release/columns.tsv", "release/phenotypes.tsv", "release/manifest.json"),
            lambda: self._finish(sources, members, columns, tables, stored, name),
        )  # fmt: skip
        draft.become_release()
        return store.read_manifest(draft.target), members

    def _begin(self, assign: Assign) -> Begun:
        sources = Sources.from_json(self._stage("check", (), self._check))
        return (sources, *self._people(sources, assign))

    def _stage(self, name: str, outputs: Sequence[str], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        return self._draft.stage(name, outputs, make, self._progress)

    def _check(self) -> dict[str, Any]:
        self._progress("Checking the files")
        accept = set(self._accept) - {NO_PGEN}
        # Java starts meanwhile, and needs a core for as long.
        checked = check_files(self._paths, accept=accept, progress=self._progress, beside=1).or_refuse()
        return Sources(checked.layout, checked.files).to_json()

    def _people(self, sources: Sources, assign: Assign) -> tuple[list[Member], Sequence[Any]]:
        """Internal ids are random: they are noted before a genotype is stored under them."""
        reserved = self._draft.results.get("people", {}).get("ids", ())
        members, columns = assign(sources.samples, reserved)
        ids = [member.internal_id for member in members]
        if reserved and list(reserved) != ids:
            # Another release of the dataset has meanwhile given one of them an id.
            self._draft.forget("people", "genotypes", "comparison", "quality")
        self._stage("people", (), lambda: {"ids": ids})
        return members, columns

    def _genotypes(self, worker: Worker, inside: Inside, sources: Sources, members: Sequence[Member]) -> dict[str, Any]:
        """Stores the genotypes, and compares them with the files. Gives what the manifest says of them."""
        ids = [member.internal_id for member in members]
        gvcf = sources.layout == "gvcf"
        if "genotypes" not in self._draft.results:
            for number, source in enumerate(sources.files):
                if source.rewrite:
                    inside.rewrite(number, source, set(self._accept) - {NO_PGEN}, self._progress)
        order: dict[str, Any] = {
            "files": inside.paths, "genome": sources.genome, "recoding": sources.recoding,
            "samples": list(sources.samples), "internal_ids": ids,
            "in_order": [source.sorted for source in sources.files],
            "partitions": max(_FEWEST_PARTS, sources.size // _PART_BYTES), "records": sources.kept,
        }  # fmt: skip
        if gvcf:
            made = self._stage(
                "genotypes", ("release/genomes.vds",),
                lambda: worker.call(
                    "vds", contigs=sources.contigs, kept=[source.kept for source in sources.files], **order
                ),
            )  # fmt: skip
            seen = self._stage("comparison", (), lambda: worker.call("verify_vds", internal_ids=ids, read=made["read"]))
            store.readable_by_all(self._draft.release / "genomes.vds")
            return {**made, **seen, "kind": "vds"}
        need_pgen = NO_PGEN not in self._accept
        made = self._stage(
            "genotypes", ("release/matrix.mt", "work/import"),
            lambda: worker.call(
                "matrix", merge=sources.layout == "samples", entry_fields=list(sources.entry_fields),
                need_pgen=need_pgen, whole_arrays=all(source.whole_arrays for source in sources.files), **order,
            ),
        )  # fmt: skip
        seen = self._stage(
            "comparison", ("release/plink",),
            lambda: worker.call(
                "verify_matrix", genome=sources.genome, internal_ids=ids, contigs=sources.contigs,
                exact=sources.layout != "samples", no_pgen=made["no_pgen"], calls=made["calls"],
                need_pgen=need_pgen,
            ),
        )  # fmt: skip
        if seen["no_pgen"]:
            self._progress(f"No PGEN: {seen['no_pgen']}")
        for part in ("matrix.mt", "plink"):
            if (self._draft.release / part).is_dir():
                store.readable_by_all(self._draft.release / part)
        return {**made, **seen, "kind": "matrix", "people": ids}

    def _quality(
        self,
        worker: Worker,
        sources: Sources,
        stored: dict[str, Any],
        members: Sequence[Member],
        columns: Sequence[Any],
    ) -> dict[str, Any]:
        """Quality figures, measured once; gives their summary."""
        sex = next((at for at, column in enumerate(columns) if column.name.lower() in ("sex", "koen")), None)
        declared = {
            member.internal_id: str(member.values[sex])
            for member in members
            if sex is not None and member.values is not None and member.values[sex] is not None
        }
        return self._stage(
            "quality", ("release/quality",),
            lambda: quality.measure(
                worker, self._draft.release, kind=stored["kind"], internal_ids=stored["people"], genome=sources.genome,
                reads=stored.get("reads"), declared_sex=declared, small=self._settings.small_count,
                progress=self._progress,
            ),
        )  # fmt: skip

    def _finish(
        self,
        sources: Sources,
        members: Sequence[Member],
        columns: Sequence[Any],
        tables: Sequence[tuple[str, Path | None]],
        stored: dict[str, Any],
        name: str,
    ) -> dict[str, Any]:
        """Writes the tables and the manifest."""
        folder = self._draft.release
        self._progress("Hashing and syncing the release")
        with_values = [(member.internal_id, member.values) for member in members if member.values is not None]
        write_values(folder / "phenotypes.tsv", columns, with_values)
        (folder / "phenotypes.tsv").chmod(0o600)
        store.write_columns(folder, stored["people"])
        dataset, _, release = name.partition("/")
        manifest: dict[str, Any] = {
            "format": 2,
            "dataset": dataset,
            "release": release,
            "kind": stored["kind"],
            "created": utcnow().isoformat(timespec="seconds"),
            "genome": sources.genome,
            "genome_by": sources.files[0].genome_by,
            "counts": {"samples": len(members), "variants": stored["rows"], "with_phenotypes": len(with_values)},
            "contigs": stored["contigs"],
            "entry_fields": list(sources.entry_fields),
            "row_fields": list(ROW_FIELDS),
            "phenotypes": [column.manifest() for column in columns],
            "quality": stored["quality"],
            "accepted": sorted(set(self._accept)),
            "tools": {
                "workbench": __version__, "hail": stored["hail"], **stored["tools"],
                "image": self._settings.researcher_image,
            },
            # Hashes and sizes; no names, which may tell whose genomes they are.
            "sources": [
                {"kind": kinds(sources.layout), "sha256": source.sha256, "bytes": source.size} for source in sources.files
            ]
            + [
                {"kind": kind, "sha256": digest(path), "bytes": path.stat().st_size}
                for kind, path in tables
                if path is not None
            ],
        }  # fmt: skip
        if stored["kind"] == "matrix":
            manifest["plink"] = {"made": not stored["no_pgen"], "why_not": stored["no_pgen"]}
        store.write_json(folder / "manifest.json", manifest | {"files": store.file_hashes(folder)})
        return {"manifest": store.digest_of(store.read_manifest(folder))}
