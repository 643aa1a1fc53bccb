"""Datasets: titles and terms of use, and whether a purpose fits them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from ngc_workbench import genomes, people, projects
from ngc_workbench.cli.context import Workbench, opened
from ngc_workbench.errors import Refused
from ngc_workbench.policy import duo
from ngc_workbench.policy.terms import dataset_terms, from_text, purpose_terms

Name = Annotated[str, typer.Argument(help="Name of the dataset.")]


def register(app: typer.Typer) -> None:
    """Adds the group `dataset`."""
    dataset = typer.Typer(help="Datasets: describe, show, match a purpose.", no_args_is_help=True)
    dataset.command("describe")(describe)
    dataset.command("show")(show)
    dataset.command("match")(match)
    app.add_typer(dataset, name="dataset")


def describe(
    context: typer.Context,
    dataset: Name,
    title: Annotated[str | None, typer.Option(help="Title, for people.")] = None,
    description: Annotated[str | None, typer.Option(help="What the data is, for people.")] = None,
    term: Annotated[
        list[str] | None,
        typer.Option(
            help='A term of use: "HMB", "DS MONDO:0005148", "TS until=2027-01-01", "GS regions=DK,SE"; repeat. They replace those stated before.'
        ),
    ] = None,
    no_terms: Annotated[bool, typer.Option("--no-terms", help="Takes all terms of use away.")] = False,
) -> None:
    """Sets a dataset's title, description and terms of use (DUO), and renews its catalogue records."""
    workbench = opened(context)
    terms = [] if no_terms else [from_text(text) for text in term] if term else None
    count = genomes.describe(
        workbench.settings, workbench.database, workbench.log, dataset=dataset, actor=workbench.actor, title=title,
        description=description, terms=terms,
    )  # fmt: skip
    typer.echo(f"{dataset} is described; {count} catalogue records are written.")


def show(
    context: typer.Context, dataset: Name, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False
) -> None:
    """Shows a dataset's title, description, terms of use, and releases."""
    workbench = opened(context)
    _somebody(workbench, dataset)
    with workbench.database.reading() as db:
        row = genomes.find_dataset(db, dataset)
        releases = [one for one in genomes.list_releases(db) if one.dataset_name == dataset]
    if as_json:
        found = {
            "name": row.name, "title": row.title, "description": row.description, "terms": row.terms,
            "releases": {one.name: one.state for one in releases},
        }  # fmt: skip
        typer.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    typer.echo(f"{row.name}  {row.title}".rstrip())
    if row.description:
        typer.echo(row.description)
    for one in dataset_terms(row.terms):
        details = " ".join(f"{key}={value}" for key, value in one.stored().items() if key != "term")
        typer.echo(f"  {one.term} {duo.TERMS[one.term].label}  {details}".rstrip())
    if not row.terms:
        typer.echo("  no terms of use: each approval takes a person's judgement")
    for release in releases:
        typer.echo(f"  {release.name:20} {release.state}")


def match(
    context: typer.Context,
    dataset: Name,
    purpose: Annotated[list[str], typer.Option(help='A purpose: "DUO:0000040 MONDO:0005148"; repeat for more.')],
    disease: Annotated[list[str] | None, typer.Option(help="A disease that the purposes are about; repeat.")] = None,
    fact: Annotated[list[str] | None, typer.Option(help="commercial=no, country=DK …; repeat.")] = None,
    known: Annotated[
        list[str] | None, typer.Option(help="NARROWER=WIDER: a disease that is a kind of another; repeat.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Says whether a purpose fits a dataset's terms of use, with the reason of each term. Decides nothing."""
    workbench = opened(context)
    _somebody(workbench, dataset)
    terms = [from_text(text) for text in purpose]
    for one in terms:
        if disease:
            one["diseases"] = [*one.get("diseases", []), *disease]
    stated = [one.stored() for one in purpose_terms(terms)]
    pairs = [(narrower, wider) for narrower, _, wider in (text.partition("=") for text in known or [])]
    with workbench.database.reading() as db:
        genomes.find_dataset(db, dataset)
        found = projects.judge(db, dataset, stated, projects.facts_from(fact or []), pairs)
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=1))
        return
    typer.echo(found.result)
    for reason in found.reasons:
        typer.echo(f"  {reason.term or '-':12} {reason.result:12} {reason.text} {reason.remedy}".rstrip())


def _somebody(workbench: Workbench, dataset: str) -> None:
    """Anybody with a role may look. Raises Refused (recorded), NotFound."""
    with workbench.database.writing() as db:
        person = people.get(db, workbench.actor)
        allowed = bool(person.roles) and not person.disabled
        if not allowed:
            workbench.log.append(
                db, "command.refused", actor=workbench.actor, decision="deny", reason="role.missing", subject=dataset,
                details={"action": "dataset.show"},
            )  # fmt: skip
    if not allowed:
        raise Refused("role.missing", "This takes a role in the workbench.", "Ask your data support centre for one.")
