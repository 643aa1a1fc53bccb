"""The support officer's commands: provision and change projects."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import select

from ngc_workbench import genomes, people, projects
from ngc_workbench.cli.context import Workbench, opened, progress, progress_done
from ngc_workbench.errors import InputError, NotFound, Refused
from ngc_workbench.model import Project
from ngc_workbench.policy.meter import MEGABYTE
from ngc_workbench.policy.terms import from_text
from ngc_workbench.pseudonyms import Keyring
from ngc_workbench.sessions import traffic

FactOption = Annotated[
    list[str] | None,
    typer.Option(help="What else the dataset's terms ask, for instance commercial=no, country=DK; repeat."),
]
AcceptOption = Annotated[
    str, typer.Option(help="Why the conditions that a person must judge hold; it is recorded with your name.")
]


def register(app: typer.Typer) -> None:
    """Adds the group `project`."""
    group = typer.Typer(
        help="Projects: provision, approve, list, limits, suspend, resume, close.", no_args_is_help=True
    )
    group.command("provision")(provision)
    group.command("approve")(approve)
    group.command("list")(list_projects)
    group.command("limits")(limits)
    group.command("suspend")(suspend)
    group.command("resume")(resume)
    group.command("close")(close)
    app.add_typer(group, name="project")


def provision(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Short name: lowercase letters, digits, single hyphens.")],
    title: Annotated[str, typer.Option(help="Title of the research.")],
    purpose: Annotated[str, typer.Option(help="What the data is used for.")],
    ethics: Annotated[str, typer.Option(help="Reference of the ethics committee's approval.")],
    member: Annotated[list[str], typer.Option(help="A member; repeat for more. The first one leads the project.")],
    release: Annotated[list[str], typer.Option(help="DATASET/RELEASE; repeat for more.")],
    cohort: Annotated[
        list[str] | None, typer.Option(help="DATASET/RELEASE=FILE: how much of it is approved (TOML); repeat for more.")
    ] = None,
    until: Annotated[str, typer.Option(help="Last day of the approval, YYYY-MM-DD; default: one year from now.")] = "",
    purpose_term: Annotated[
        list[str] | None,
        typer.Option(help='The purpose as a DUO term, for instance "DUO:0000040 MONDO:0005148"; repeat for more.'),
    ] = None,
    fact: FactOption = None,
    accept_conditions: AcceptOption = "",
) -> None:
    """Provisions a project: members, approvals, folders, and its pseudonymised views."""
    workbench = opened(context)
    pairs = [_pair(text) for text in release]
    end = _last_day(until)
    people.require(workbench.database, workbench.log, workbench.actor, "project.provision", project=name)
    cohorts = {}
    for text in cohort or []:
        named, _, file = text.partition("=")
        cohorts[_pair(named)] = _cohort(workbench, *_pair(named), Path(file))
    with _recorded(workbench, name), workbench.database.writing() as db:
        projects.provision(
            db, workbench.log, workbench.settings, actor=workbench.actor, name=name, title=title, purpose=purpose,
            ethics_approval=ethics, members=member, lead=member[0], releases=pairs, valid_until=end, cohorts=cohorts,
            purpose_terms=[from_text(text) for text in purpose_term or []], facts=projects.facts_from(fact or []),
            accept_conditions=accept_conditions,
        )  # fmt: skip
    typer.echo(f"Project {name}: {len(set(member))} members, approved until {end.isoformat()}.")
    for dataset, release_name in pairs:
        _build(workbench, name, dataset, release_name)


def approve(
    context: typer.Context,
    name: str,
    release: Annotated[str, typer.Argument(help="DATASET/RELEASE.")],
    ethics: Annotated[str, typer.Option(help="Reference of the ethics committee's approval.")],
    cohort: Annotated[Path | None, typer.Option(help="How much of it is approved (TOML); without it: all.")] = None,
    until: Annotated[str, typer.Option(help="Last day of the approval, YYYY-MM-DD; default: one year from now.")] = "",
    fact: FactOption = None,
    accept_conditions: AcceptOption = "",
) -> None:
    """Approves a project for one more release, or for another part of one, and builds the view."""
    workbench = opened(context)
    dataset, release_name = _pair(release)
    end = _last_day(until)
    people.require(workbench.database, workbench.log, workbench.actor, "project.provision", project=name)
    record = _cohort(workbench, dataset, release_name, cohort) if cohort else {}
    with _recorded(workbench, name), workbench.database.writing() as db:
        project = db.get(Project, name)
        if project is None:
            raise NotFound(f"There is no project {name}.", "`ngc-workbench project list` shows what there is.")
        projects.grant(
            db, workbench.log, actor=workbench.actor, project=project, dataset=dataset, release=release_name,
            valid_until=end, reference=ethics, cohort=record,
            facts=projects.facts_from(fact or []), accept_conditions=accept_conditions,
        )  # fmt: skip
    typer.echo(f"Project {name} is approved for {release} until {end.isoformat()}.")
    _build(workbench, name, dataset, release_name)


def _recorded(workbench: Workbench, name: str) -> AbstractContextManager[None]:
    return projects.recorded(workbench.database, workbench.log, actor=workbench.actor, project=name)


def _last_day(text: str) -> date:
    try:
        return date.fromisoformat(text) if text else date.today() + timedelta(days=365)  # noqa: DTZ011  (a day in the centre's own calendar)
    except ValueError as error:
        raise InputError(f"{text!r} is not a date.", "Write it as YYYY-MM-DD.") from error


def _cohort(workbench: Workbench, dataset: str, release: str, path: Path) -> dict[str, Any]:
    keyring = Keyring.of(workbench.settings)
    with workbench.database.reading() as db:
        row = genomes.find(db, dataset, release)
        return genomes.read_definition(workbench.settings, db, keyring, path, row).record()


def _build(workbench: Workbench, name: str, dataset: str, release: str) -> None:
    view = genomes.build_view(
        workbench.settings, workbench.database, workbench.log,
        project=name, dataset=dataset, release=release, actor=workbench.actor, progress=progress,
    )  # fmt: skip
    progress_done()
    typer.echo(f"View of {dataset}/{release}: {view.people} people, {view.variants} variants.")


def list_projects(context: typer.Context) -> None:
    """Lists projects with state and number of members."""
    workbench = opened(context)
    with workbench.database.reading() as db:
        for project in db.scalars(select(Project).order_by(Project.name)):
            typer.echo(f"{project.name:30} {project.state:10} {len(project.members):3} members  {project.title}")


def limits(
    context: typer.Context,
    name: str,
    hour_mb: Annotated[int | None, typer.Option(help="MB that a person may be shown in a clock hour.")] = None,
    day_mb: Annotated[int | None, typer.Option(help="MB in the running hour and the 23 before it.")] = None,
    kind_mb: Annotated[
        list[str] | None, typer.Option(help="KIND=N: MB of one kind of traffic in a clock hour, terminal=2; repeat.")
    ] = None,
    standard: Annotated[bool, typer.Option(help="Gives up the project's own: the installation's count again.")] = False,
    reason: Annotated[str, typer.Option(help="Why; it is recorded with your name.")] = "",
) -> None:
    """Shows a project's thresholds for bytes shown, or sets its own: those given; the others are the installation's."""
    workbench = opened(context)
    kinds = dict(_kind_mb(text) for text in kind_mb or [])
    given = hour_mb is not None or day_mb is not None or bool(kinds)
    if given and standard:
        raise InputError("Thresholds are given, and given up.", "Leave out --standard, or the numbers.")
    if given or standard:
        people.require(workbench.database, workbench.log, workbench.actor, "project.limit", project=name)
        with workbench.database.writing() as db:
            projects.set_limits(
                db, workbench.log, actor=workbench.actor, name=name, hour_mb=hour_mb, day_mb=day_mb, kinds_mb=kinds, reason=reason
            )  # fmt: skip
    with workbench.database.reading() as db:
        if db.get(Project, name) is None:
            raise NotFound(f"There is no project {name}.", "`ngc-workbench project list` shows what there is.")
        allowed = traffic.allowed(db, traffic.default_thresholds(workbench.settings), name)
    typer.echo(f"hour {allowed.hour // MEGABYTE} MB, day {allowed.day // MEGABYTE} MB")
    for kind, limit in sorted(allowed.kinds.items()):
        typer.echo(f"hour {limit // MEGABYTE} MB of the kind {kind}")


def _kind_mb(text: str) -> tuple[str, int]:
    kind, _, number = text.partition("=")
    if not number.isdecimal():
        raise InputError(f"{text!r} names no threshold.", "Write it as KIND=N, for instance terminal=2.")
    return kind, int(number)


def suspend(context: typer.Context, name: str, reason: Annotated[str, typer.Option(help="Why.")]) -> None:
    """Suspends a project; its sessions stop within a minute."""
    _change(context, name, "suspended", reason)


def resume(context: typer.Context, name: str, reason: Annotated[str, typer.Option(help="Why.")]) -> None:
    """Lets a suspended project run again."""
    _change(context, name, "active", reason)


def close(context: typer.Context, name: str, reason: Annotated[str, typer.Option(help="Why.")]) -> None:
    """Closes a project; its sessions stop within a minute."""
    _change(context, name, "closed", reason)


def _change(context: typer.Context, name: str, target: str, reason: str) -> None:
    workbench = opened(context)
    people.require(workbench.database, workbench.log, workbench.actor, "project.suspend", project=name)
    try:
        with workbench.database.writing() as db:
            projects.change_state(db, workbench.log, actor=workbench.actor, name=name, target=target, reason=reason)
    except Refused as refused:
        # In a transaction of its own: the one that was refused is rolled back.
        with workbench.database.writing() as db:
            workbench.log.append(
                db, "command.refused", actor=workbench.actor, decision="deny", reason=refused.reason, project=name,
                subject=name, details={"to": target},
            )  # fmt: skip
        raise
    typer.echo(f"Project {name} is {target}.")


def _pair(text: str) -> tuple[str, str]:
    dataset, slash, release = text.partition("/")
    if not (dataset and slash and release):
        raise InputError(f"{text!r} does not name a release.", "Write it as DATASET/RELEASE.")
    return dataset, release
