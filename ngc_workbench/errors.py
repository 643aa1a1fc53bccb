"""Everything the workbench raises on purpose.

WorkbenchError                   shown to a person as one line: what happened, and what to do next
├── ConfigurationError           a setting is missing, wrong or unsafe: nothing starts
├── Unavailable                  something we need does not answer (Docker, a port, the disk, the hub)
├── InputError                   a file or value that a person gave can't be used
├── NotFound                     no such project, release, person or request
├── Conflict                     the thing is in a state in which this can't be done
├── Refused                      policy said no: not a fault of the system, always recorded
└── IntegrityError               what we hold is not what we wrote: stop and call the security officer
"""

from __future__ import annotations


class WorkbenchError(Exception):
    """Base of all errors meant for a person.

    Attributes:
        what: what happened, one line, without paths or identifiers of the custodian zone.
        remedy: what to do next, one line; may be empty when `what` says it.
        exit_code: the exit code of a command that ends with this error.
    """

    exit_code = 1

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what} {remedy}".strip())
        self.what = what
        self.remedy = remedy


class ConfigurationError(WorkbenchError):
    """A setting is missing, wrong or unsafe."""

    exit_code = 2


class Unavailable(WorkbenchError):
    """Something the workbench needs does not answer."""

    exit_code = 3


class InputError(WorkbenchError):
    """A file or a value given by a person can't be used."""

    exit_code = 4


class NotFound(WorkbenchError):
    """The thing asked for does not exist."""

    exit_code = 5


class Conflict(WorkbenchError):
    """The thing is in a state in which this can't be done."""

    exit_code = 6


class Refused(WorkbenchError):
    """Policy refused. `reason` is the short, stable name of the rule that decided."""

    exit_code = 7

    def __init__(self, reason: str, what: str, remedy: str = "") -> None:
        super().__init__(what, remedy)
        self.reason = reason


class IntegrityError(WorkbenchError):
    """Stored data is not what was written."""

    exit_code = 8
