"""The closed vocabulary of the audit log: what can happen, and which parts of it name a person."""

from __future__ import annotations

KINDS: dict[str, str] = {
    "login.allowed": "A person logged in and was let through.",
    "login.refused": "A log-in was turned away.",
    "person.changed": "A person's roles, training or account changed. The subject is that person.",
    "project.provisioned": "A project got its folders and became active.",
    "project.changed": "A project's state, its members or its thresholds changed.",
    "approval.granted": "A project was approved to use a release until a date.",
    "approval.withdrawn": "An approval was ended before its date.",
    "dataset.ingested": "A custodian took in genomes as a release that is not yet published.",
    "dataset.described": "A custodian changed a dataset's title, description or terms of use.",
    "release.published": "A release became available for approvals.",
    "release.withdrawn": "A release was taken back: nobody may mount it any more.",
    "release.quality_read": "A custodian read quality figures of a release by person, or was turned away.",
    "view.built": "A project's view of a release was written and verified.",
    "view.retired": "A view was replaced or ended: it is mounted by no new session.",
    "optout.recorded": "A person's opt-out was recorded.",
    "optout.imported": "An extract of the tissue-use register was taken in, or refused.",
    "views.refreshed": "Views were rebuilt without the people who opted out, and counted; the proof's hash is in the details.",
    "views.recounted": "A proof was compared with the views as they are.",
    "pseudonym.reversed": "A custodian looked up the person behind a pseudonym.",
    "session.start_refused": "A session was not started.",
    "session.started": "A session started; its details hold the final mounts.",
    "session.told": "A session was told that a view that it mounts was replaced, and when it will be stopped.",
    "session.paused": "A session was paused: by a threshold for bytes shown, or by a security officer.",
    "session.released": "A security officer released a pause; what was shown before counts towards no threshold.",
    "session.stopped": "A session ended, and why.",
    "session.cell": "Code was sent to a kernel.",
    "session.terminal": "Lines were typed into a terminal.",
    "session.bytes": "Bytes were shown to the browser: a sum over an interval.",
    "gateway.refused": "The gateway turned a request or a message away.",
    "export.submitted": "A person asked for files to be released.",
    "export.checked": "The automatic checks of an export request ended.",
    "export.voted": "An output checker voted.",
    "export.decided": "An export request was approved, rejected or returned.",
    "export.downloaded": "A released file was downloaded.",
    "export.refused": "A step of an export request was turned away.",
    "portal.refused": "The portal turned a request away.",
    "command.refused": "A command on the server was turned away.",
    "audit.verified": "The log was verified; the details hold the result.",
    "audit.exported": "The log was exported as a bundle.",
    "audit.erased": "A person's name was erased from the table of identities. The subject is that person's tag.",
    "config.changed": "The configuration that services run with changed.",
    "key.created": "A key was made.",
    "key.rotated": "A custodian added a version of the master key, and people and opt-outs were brought under it.",
    "network.refused": "A session tried to reach something other than its gateway; the firewall turned it away.",
    "firewall.refused": "The firewall is missing or differs from ours: no session may start.",
}
"""Every kind of event, with what it means. `append` refuses any other."""

SERVICES = frozenset({"airlock", "cli", "gateway", "hub", "operator", "portal", "sessions", "system", "worker"})
"""Actors that are not people: they stand in the leaves as `service:<name>`. No person may have such a name."""

PERSON_SUBJECTS = frozenset({"login.allowed", "login.refused", "person.changed"})
"""Kinds whose subject is a person's name: it is replaced by that person's tag."""

PERSONAL_KEYS = frozenset(
    {
        "checker", "client", "email", "full_name", "ip", "lead", "member", "members", "name_of_person",
        "people", "person", "requester", "user", "username",
    }
)  # fmt: skip
"""Keys of `details` whose values (text, or lists of text) name a person: each is replaced by a tag."""
