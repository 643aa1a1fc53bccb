"""Start, stop, state: the operator's commands."""

from __future__ import annotations

from datetime import timedelta

import typer

from ngc_workbench.cli import processes, stack
from ngc_workbench.cli.context import opened, progress, progress_done
from ngc_workbench.settings import Settings


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(up)
    app.command()(down)
    app.command()(status)
    app.command("settings")(print_settings)
    database = typer.Typer(help="The database.", no_args_is_help=True)
    database.command("upgrade")(upgrade)
    app.add_typer(database, name="database")


def up(context: typer.Context) -> None:
    """Starts the workbench on this machine, and leaves it running."""
    workbench = opened(context)
    stack.up(workbench, progress)
    progress_done()
    typer.echo(f"The workbench answers at {workbench.settings.public_url}")
    if workbench.settings.demo:
        typer.echo("DEMO: choose one of the invented people on the log-in page. `make down` stops everything.")


def down(context: typer.Context) -> None:
    """Stops the workbench; leaves no container, network, firewall rule or process behind."""
    workbench = opened(context)
    stack.down(workbench.settings, progress)
    # What happened since the last head is covered before the log rests.
    workbench.log.sign_head_if_stale(workbench.database, timedelta(0))
    progress_done()
    typer.echo("Stopped. Nothing of it runs any more; its data stays in the state directory.")


def status(context: typer.Context) -> None:
    """Says which services run. Exit code 1 when one does not."""
    workbench = opened(context)
    missing = False
    for service in stack.services(workbench):
        ok = processes.running(service.name, workbench.settings.run_dir) and service.ready()
        missing = missing or not ok
        typer.echo(f"{service.name:10} {'runs' if ok else 'does not run'}")
    if missing:
        raise typer.Exit(1)


def upgrade(context: typer.Context) -> None:
    """Brings the database to the current schema (every command does so when it opens the workbench)."""
    opened(context)
    typer.echo("The database has the current schema.")


def print_settings() -> None:
    """Prints every setting with its default and meaning, as Markdown: docs/settings.md is made with it."""
    typer.echo(settings_reference(), nl=False)


def settings_reference() -> str:
    """The reference of all settings, as Markdown."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = "*needed*" if field.is_required() else f"`{field.default!r}`".replace("|", "\\|")
        rows.append(f"| `{name}` | {default} | {field.description} |")
    return (
        "# Settings\n\n"
        "Made by `ngc-workbench settings`. Each stands in the configuration file, or in the environment as `NGC_<NAME>`, which "
        "wins.\n\n| setting | default | what it is, and what it means for security |\n| --- | --- | --- |\n"
        + "\n".join(rows)
        + "\n"
    )
