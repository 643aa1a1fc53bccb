"""The operator's, custodian's and support officer's commands: `ngc-workbench …`."""

from __future__ import annotations


def main() -> None:
    """Entry point of the command."""
    from ngc_workbench.cli.main import main as run

    run()
