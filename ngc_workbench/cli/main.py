"""The command line: groups of commands, and how an error becomes one line and an exit code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ngc_workbench import __version__
from ngc_workbench.cli import (
    audit,
    datasets,
    operations,
    optouts,
    projects,
    pseudonyms,
    releases,
    sessions,
    taking_in,
    views,
)
from ngc_workbench.cli.demo import command as demo
from ngc_workbench.errors import WorkbenchError

app = typer.Typer(
    name="ngc-workbench",
    help="A secure processing environment for genomes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def options(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option(help="Configuration file; else $NGC_CONFIG, ./workbench.toml, hub/demo.toml.")
    ] = None,
    actor: Annotated[
        str | None, typer.Option("--as", help="Person in whose name the command acts; else $NGC_ACTOR.")
    ] = None,
) -> None:
    """Options of every command."""
    context.obj = {"config": config, "actor": actor}


@app.command()
def version() -> None:
    """Prints the version."""
    typer.echo(__version__)


operations.register(app)
for commands in (taking_in, datasets, releases, optouts, views, pseudonyms):
    commands.register(app)
projects.register(app)
sessions.register(app)
audit.register(app)
demo.register(app)


def main() -> None:
    """Entry point. Errors meant for a person become one line on standard error and their own exit code."""
    try:
        app()
    except WorkbenchError as error:
        sys.stderr.write(f"ngc-workbench: {error}\n")
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        sys.stderr.write("ngc-workbench: stopped; what was finished stays, run the command again for the rest\n")
        raise SystemExit(130) from None
