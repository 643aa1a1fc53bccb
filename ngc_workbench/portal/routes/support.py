"""The support officer's page: all projects, and the form that provisions one."""

from __future__ import annotations

import re
from datetime import date, timedelta

from fastapi import APIRouter
from sqlalchemy import select
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from ngc_workbench import genomes, projects
from ngc_workbench.errors import InputError
from ngc_workbench.model import Person, Release, utcnow
from ngc_workbench.policy.terms import from_text
from ngc_workbench.portal import queries
from ngc_workbench.portal.i18n import marked
from ngc_workbench.portal.pages import Guest, as_json, wants_json
from ngc_workbench.portal.portal import Portal, portal_of

router = APIRouter(prefix="/support")


def _job(project: str) -> str:
    return f"views {project}"


@router.get("")
async def overview(request: Request) -> Response:
    """All projects with members, data and state; below them the form for a new one."""
    portal = portal_of(request)
    guest = await portal.holder(request, "project.provision")

    def read() -> tuple[list[queries.Overview], list[str], list[Person]]:
        with portal.database.reading() as db:
            releases = db.scalars(
                select(Release).where(Release.state == "published").order_by(Release.dataset_name, Release.name)
            )
            names = [f"{release.dataset_name}/{release.name}" for release in releases]
            people = db.scalars(select(Person).where(Person.disabled.is_(False)).order_by(Person.full_name)).all()
            return queries.overview(db), names, [person for person in people if "researcher" in person.roles]

    found, releases, researchers = await portal.read(read)
    if wants_json(request):
        return as_json(
            {
                "csrf": guest.visitor.csrf,
                "releases": releases,
                "projects": [
                    {"name": item.project.name, "state": item.project.state, "members": [name for name, _ in item.members],
                     "ready": all(data.people is not None for data in item.data)}
                    for item in found
                ],
            }
        )  # fmt: skip
    building = {item.project.name for item in found if portal.worker.busy(_job(item.project.name))}
    failures = {
        item.project.name: portal.worker.failures[_job(item.project.name)]
        for item in found
        if _job(item.project.name) in portal.worker.failures
    }
    return portal.pages.show(
        guest, "support.html", overview=found, releases=releases, researchers=researchers, building=building, failures=failures,
        until=(utcnow() + timedelta(days=365)).date().isoformat(),
    )  # fmt: skip


def _until(form: FormData) -> date:
    text = str(form.get("valid_until") or "")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            marked("The last day of the approval is not a date."), marked("Write it as YYYY-MM-DD.")
        ) from error


@router.post("/projects")
async def provision(request: Request) -> Response:
    """Provisions a project, then builds its views in the background."""
    portal = portal_of(request)
    guest = await portal.holder(request, "project.provision")
    form = await portal.form(guest)
    until = _until(form)
    # One name a checkbox, or several in a field for a program.
    members = [name for value in form.getlist("members") for name in re.split(r"[\s,]+", str(value)) if name]
    releases = [
        (dataset, name) for dataset, _, name in (str(value).partition("/") for value in form.getlist("releases"))
    ]

    terms = [from_text(line) for line in str(form.get("purpose_terms") or "").splitlines() if line.strip()]

    def work() -> str:
        refusals = projects.recorded(
            portal.database, portal.log, actor=guest.name, project=str(form.get("name") or "").strip()
        )
        with refusals, portal.database.writing() as db:
            made = projects.provision(
                db, portal.log, portal.settings, actor=guest.name, name=str(form.get("name") or "").strip(),
                title=str(form.get("title") or ""), purpose=str(form.get("purpose") or ""), ethics_approval=str(form.get("ethics_approval") or ""),
                members=members, lead=str(form.get("lead") or ""), releases=releases, valid_until=until,
                purpose_terms=terms, accept_conditions=str(form.get("accept_conditions") or ""),
            )  # fmt: skip
            return made.name

    name = await portal.read(work)
    _build(portal, guest, name, releases)
    if wants_json(request):
        return as_json({"name": name}, 201)
    return portal.to("support")


@router.post("/projects/{project}/views")
async def build(request: Request, project: str) -> Response:
    """Builds the views that the project was approved for and that aren't there: after a failure, or a kill."""
    portal = portal_of(request)
    guest = await portal.holder(request, "project.provision")
    await portal.form(guest)

    def read() -> list[tuple[str, str]]:
        with portal.database.reading() as db:
            return queries.unbuilt(db, project)

    _build(portal, guest, project, await portal.read(read))
    return portal.to("support")


def _build(portal: Portal, guest: Guest, project: str, releases: list[tuple[str, str]]) -> None:
    def work() -> None:
        for dataset, release in releases:
            genomes.build_view(
                portal.settings, portal.database, portal.log, project=project, dataset=dataset, release=release, actor=guest.name,
                progress=lambda _text: None,
            )  # fmt: skip

    if releases:
        portal.worker.add(_job(project), work)
