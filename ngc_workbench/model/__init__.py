"""What exists: people, datasets, releases, projects, views, sessions, requests.

Each class is one table. Nothing here decides anything: decisions are in `policy`, moves in the rooms.
Times are UTC. A person's genome never stands here, nor a CPR number in clear text: custodian tables hold
keyed tags and sealed values that only the custodian's master key opens.
"""

from ngc_workbench.model.airlock import ExportFile, ExportRequest, Vote
from ngc_workbench.model.base import Base, utcnow
from ngc_workbench.model.genomes import Dataset, Individual, OptOut, Release, View
from ngc_workbench.model.people import Person
from ngc_workbench.model.projects import Approval, Membership, Project
from ngc_workbench.model.sessions import Delivery, Notice, Session, Traffic

__all__ = [
    "Approval",
    "Base",
    "Dataset",
    "Delivery",
    "ExportFile",
    "ExportRequest",
    "Individual",
    "Membership",
    "Notice",
    "OptOut",
    "Person",
    "Project",
    "Release",
    "Session",
    "Traffic",
    "View",
    "Vote",
    "utcnow",
]
