"""A session's start and end, and their records.

Start, in this order: the firewall is checked; leftovers of an earlier start by the same person in the same project are removed; one
transaction reads the facts, decides, takes an address, and stores the row and the audit event with the final mounts; then network and
container are made, checked, and started. Whatever fails after the decision ends in `finish` with the reason, and takes away what was made.

End: the row is `stopped` first (the gateway turns its back at once), then container and network go. What a crash leaves between
the two, the warden sweeps.
"""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

import structlog
from docker.errors import APIError, DockerException, NotFound
from requests.exceptions import RequestException
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from ngc_workbench.errors import Refused, Unavailable, WorkbenchError
from ngc_workbench.genomes import view_folder
from ngc_workbench.model import Session, View, utcnow
from ngc_workbench.policy import Decision, deny
from ngc_workbench.policy.meter import may_start
from ngc_workbench.policy.names import is_slug
from ngc_workbench.policy.sessions import may_run
from ngc_workbench.policy.states import SESSION, move
from ngc_workbench.projects import SessionFacts, folders, make_folders, session_facts
from ngc_workbench.sessions import container, firewall, network, pause, traffic
from ngc_workbench.sessions.container import Mount, Wanted
from ngc_workbench.sessions.runtime import Runtime
from ngc_workbench.settings import Settings

_log = structlog.get_logger()

LIVE = ("starting", "running", "paused")


@dataclass(frozen=True)
class Begun:
    """A start that was decided and recorded; nothing of it runs yet."""

    person: str
    project: str
    prefix: str
    wanted: Wanted

    @property
    def session(self) -> str:
        """The session's id."""
        return self.wanted.session


def begin(runtime: Runtime, person: str, project: str, prefix: str) -> Begun:
    """Decides on a start and records the decision.

    `prefix` is the URL path that the container will serve. Raises Refused (recorded as session.start_refused) and Unavailable.
    """
    settings, client = runtime.settings, runtime.docker
    try:
        firewall.check(settings)
    except Unavailable as error:
        reason = "firewall.not_ours"
        with runtime.database.writing() as db:
            runtime.log.append(
                db,
                "firewall.refused",
                actor="sessions",
                decision="deny",
                reason=reason,
                project=_slug(project),
                details={"what": error.what},
            )
        raise
    _clear_same(runtime, person, project)
    try:
        occupied = network.taken(client)
    except (DockerException, RequestException) as error:
        raise Unavailable("Docker does not answer.", "Tell the operator.") from error
    begun: Begun | None = None
    with runtime.database.writing() as db:
        facts = session_facts(db, person, project, utcnow().date()) if is_slug(project) else None
        decision = decide(db, settings, person, project, facts)
        if decision and facts is not None:
            session = secrets.token_hex(6)
            plan = network.layout(settings, session, _address(db, settings, occupied))
            wanted = Wanted(
                session=session,
                image=settings.researcher_image,
                network=plan,
                mounts=mounts(settings, facts, person, project),
                kernel_has_ipv6=Path("/proc/sys/net/ipv6").is_dir(),
            )
            begun = Begun(person, project, prefix, wanted)
            db.add(
                Session(
                    id=session, person_name=person, project_name=project, state="starting", prefix=prefix,
                    network=plan.name, subnet=str(plan.subnet), address=str(plan.address), port=container.PORT,
                    container=plan.name, mounts=[mount.record() for mount in wanted.mounts],
                )
            )  # fmt: skip
            runtime.log.append(
                db, "session.started", actor=person, decision="allow", reason=decision.reason, project=project, session=session,
                details={"image": wanted.image, "address": str(plan.address), "mounts": _audited(wanted.mounts, facts.views)},
            )  # fmt: skip
        else:
            runtime.log.append(
                db, "session.start_refused", actor=person, decision="deny", reason=decision.reason, project=_slug(project),
                details={"what": decision.text},
            )  # fmt: skip
    if begun is None:
        raise Refused(decision.reason, decision.text, decision.remedy)
    return begun


def decide(db: Transaction, settings: Settings, person: str, project: str, facts: SessionFacts | None) -> Decision:
    """Whether the person may start a session in the project now. `facts` is None when the name can't be a project's."""
    if facts is None:
        return deny(
            "session.no_project",
            "A session belongs to a project; this is not the name of one.",
            "Start it from the portal.",
        )
    decision = may_run(
        facts.applicant, facts.project_state, facts.grants, today=utcnow().date(),
        assurance_levels=settings.assurance_levels, mfa_methods=settings.mfa_methods,
    )  # fmt: skip
    if not decision:
        return decision
    other = db.scalar(select(Session).where(Session.person_name == person, Session.state.in_(LIVE)))
    if other is not None:
        # Two projects of one person would share a browser origin.
        where = other.project_name if other.project_name != project else "this project"
        return deny(
            "session.one_at_a_time",
            f"You have a session in {where} already.",
            "Stop it first: one project runs at a time.",
        )
    now = utcnow()
    meter = may_start(
        held=pause.held(db, person, project) is not None,
        used=traffic.used(db, person, project, now),
        allowed=traffic.allowed(db, traffic.default_thresholds(settings), project),
    )
    return decision if meter else meter


def mounts(settings: Settings, facts: SessionFacts, person: str, project: str) -> tuple[Mount, ...]:
    """What a session with these facts mounts: the views of current grants, read-only, and the three folders."""
    own = folders(settings, project, person)
    views = [
        Mount(
            view_folder(settings, view),
            f"/data/{view.release.dataset_name}/{view.release.name}",
            read_only=True,
            view=view.id,
        )
        for view in facts.views
    ]
    return (
        *views,
        Mount(own.shared, "/project", read_only=False),
        Mount(own.home, container.HOME, read_only=False),
        Mount(own.outbox, "/outbox", read_only=False),
    )


def launch(runtime: Runtime, begun: Begun, environment: dict[str, str]) -> str:
    """Makes network and container of a decided start, checks both and starts; gives the container's id.

    Raises Refused when the final definition is not allowed, Unavailable when Docker, the firewall or the disk fails. In either case the
    session is finished and nothing of it is left.
    """
    settings, client, wanted = runtime.settings, runtime.docker, begun.wanted
    try:
        make_folders(settings, begun.project, begun.person)
        _sources_are_real(settings, wanted)
        network.create(client, settings, wanted.session, wanted.network)
        body = container.definition(settings, wanted, environment)
        container.assert_definition(body, settings, wanted)
        made = client.create_container_from_config(body, name=wanted.network.name)["Id"]  # type: ignore[no-untyped-call]
        container.assert_created(client.inspect_container(made), wanted)
        client.start(made)
        network.lead_out(client.inspect_container(made)["State"]["Pid"], wanted.network)
        _running(runtime, begun)
    except WorkbenchError as error:
        refused = isinstance(error, Refused)
        abandon(
            runtime, begun, error.reason if isinstance(error, Refused) else "start.failed", error.what, refused=refused
        )
        raise
    except (DockerException, RequestException) as error:
        said = error.explanation if isinstance(error, APIError) and error.explanation else type(error).__name__
        _log.error("Docker could not start a session", session=begun.session, said=str(said)[:1000])
        abandon(runtime, begun, "start.failed", "Docker could not start the container")
        raise Unavailable(
            "The session's container could not be started.", "Try again; if it fails again, tell the operator."
        ) from error
    return str(made)


def abandon(runtime: Runtime, begun: Begun, reason: str, what: str, *, refused: bool = False) -> None:
    """Ends a start that failed: recorded, and nothing left behind."""
    if refused:
        with runtime.database.writing() as db:
            runtime.log.append(
                db, "session.start_refused", actor=begun.person, decision="deny", reason=reason, project=begun.project,
                session=begun.session, details={"what": what},
            )  # fmt: skip
    finish(runtime, begun.session, reason, actor="sessions", what=what)
    with contextlib.suppress(DockerException, RequestException):
        remove(runtime, begun.session)


def finish(runtime: Runtime, session: str, reason: str, *, actor: str, what: str = "", denied: bool = False) -> bool:
    """Records the end of a session: from now on the gateway passes nothing. False when it had ended already.

    `denied` says that policy ended it.
    """
    with runtime.database.writing() as db:
        row = db.get(Session, session)
        if row is None or not move(SESSION, row.state, "stopped"):
            return False
        row.state, row.stopped, row.stop_reason = "stopped", utcnow(), reason
        runtime.log.append(
            db, "session.stopped", actor=actor, decision="deny" if denied else "none", reason=reason, project=row.project_name,
            session=session, details={"what": what, "bytes_out": row.bytes_out},
        )  # fmt: skip
    return True


def remove(runtime: Runtime, session: str, *, grace_s: int = 5) -> None:
    """Takes away container and network of a session; what is gone is no error. Raises docker's and requests' errors."""
    client = runtime.docker
    name = f"ngc-{runtime.settings.instance}-{session}"
    with contextlib.suppress(NotFound):
        with contextlib.suppress(APIError):  # it isn't paused
            client.unpause(name)
        try:
            client.stop(name, timeout=grace_s)
        except APIError as error:
            if isinstance(error, NotFound):
                raise
        try:
            client.remove_container(name, force=True, v=True)
        except APIError as error:
            # The hub and the warden may both be at it.
            if error.response is None or error.response.status_code != 409:
                raise
    network.remove(client, name)


def last_words(runtime: Runtime, session: str) -> str:
    """The last lines that a session's container wrote, for the operator's log. Written by hostile ground: control characters are taken out."""
    try:
        said = runtime.docker.logs(f"ngc-{runtime.settings.instance}-{session}", tail=20)
    except (DockerException, RequestException):
        return ""
    text = bytes(said).decode("utf-8", "replace")[-4000:]
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)


def current(runtime: Runtime, person: str, project: str) -> Session | None:
    """The person's living session in the project, if there is one."""
    with runtime.database.reading() as db:
        return db.scalar(
            select(Session).where(
                Session.person_name == person, Session.project_name == project, Session.state.in_(LIVE)
            )
        )


def _clear_same(runtime: Runtime, person: str, project: str) -> None:
    """The hub starts a server only when it knows of none: what the table still has of it is from a crash."""
    stale = current(runtime, person, project)
    if stale is not None:
        finish(runtime, stale.id, "start.replaced", actor="sessions", what="left by a hub that ended early")
        with contextlib.suppress(DockerException, RequestException):
            remove(runtime, stale.id)


def _running(runtime: Runtime, begun: Begun) -> None:
    with runtime.database.writing() as db:
        row = db.get(Session, begun.session)
        # The warden may have ended it while it was starting.
        if row is None or not move(SESSION, row.state, "running"):
            raise Unavailable("The session was ended while it was starting.", "Start it again.")
        row.state = "running"


def _address(db: Transaction, settings: Settings, occupied: list[IPv4Network]) -> IPv4Network:
    rows = db.execute(select(Session.subnet, Session.state).order_by(Session.started.desc()).limit(20000)).all()
    living = [IPv4Network(subnet) for subnet, state in rows if state in LIVE]
    newest = IPv4Network(rows[0][0]) if rows else None
    return network.allocate(IPv4Network(settings.session_subnets), [*occupied, *living], newest)


def _sources_are_real(settings: Settings, wanted: Wanted) -> None:
    """No mount's source is a link or leads elsewhere. Raises Refused."""
    for mount in wanted.mounts:
        base = settings.projects_dir if mount.view is None else settings.views_dir
        if (
            not mount.source.is_dir()
            or mount.source.resolve() != mount.source.absolute()
            or not mount.source.is_relative_to(base)
        ):
            raise Refused("definition.source", "A folder of the session is not where it must be.", "Tell the operator.")


def _audited(mounted: tuple[Mount, ...], views: tuple[View, ...]) -> list[str]:
    """One line a mount: `/data/cohort/r1 ro view=7 digest=…`."""
    digests = {view.id: view.digest for view in views}
    return [
        f"{mount.target} {'ro' if mount.read_only else 'rw'}"
        + ("" if mount.view is None else f" view={mount.view} digest={digests[mount.view]}")
        for mount in mounted
    ]


def _slug(project: str) -> str:
    return project if is_slug(project) else ""
