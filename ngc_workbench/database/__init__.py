"""The database: engine, transactions, migrations.

`writing()` opens a transaction that holds the write lock from its first statement: what a decision reads is what
its record is stored with, and the audit log is appended to by one writer at a time. `reading()` never blocks a writer.
SQLite runs in WAL mode with full synchronisation, so a committed transaction survives a power cut.
"""

from ngc_workbench.database.engine import Database
from ngc_workbench.database.migrate import upgrade

__all__ = ["Database", "upgrade"]
