"""Assemble the command line."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from fastapi_easy.interfaces.cli import breakers, doctor, locks, routes, run
from fastapi_easy.interfaces.cli.audit import app as audit
from fastapi_easy.interfaces.cli.consuming import app as consuming
from fastapi_easy.interfaces.cli.consuming.tasks import Consume
from fastapi_easy.interfaces.cli.events import app as events
from fastapi_easy.interfaces.cli.events import asyncapi, relay
from fastapi_easy.interfaces.cli.keys import app as keys
from fastapi_easy.interfaces.cli.migrate import app as migrate
from fastapi_easy.interfaces.cli.migrate.tasks import LoadTasks
from fastapi_easy.interfaces.cli.policy import app as policy
from fastapi_easy.interfaces.cli.policy.tasks import LoadPolicyTasks
from fastapi_easy.interfaces.cli.secrets import app as secrets
from fastapi_easy.interfaces.cli.secrets.app import SecretTasks
from fastapi_easy.interfaces.cli.tasks import Tasks
from fastapi_easy.interfaces.cli.tenants import app as tenants
from fastapi_easy.interfaces.cli.webhooks import app as webhooks


def build_cli(  # noqa: C901, PLR0913, PLR0917 (one for each group of commands)
    tasks: Tasks,
    migrations: LoadTasks | None = None,
    key_tasks: Callable[[], Any] | None = None,
    policies: LoadPolicyTasks | None = None,
    encryption: SecretTasks | None = None,
    event_tasks: Callable[[], Any] | None = None,
    webhook_tasks: Callable[[], Any] | None = None,
    audit_tasks: Callable[[], Any] | None = None,
    load_consume: Callable[[], Consume] | None = None,
) -> typer.Typer:
    """Return the command line.

    Args:
        tasks: What the commands call.

        migrations: Returns what the commands below `migrate` call; `None` leaves them out.

        key_tasks: Returns what the commands below `keys` call; `None` leaves them out.

        policies: Returns what the commands below `policy` call; `None` leaves them out.

        encryption: What the commands below `secrets` call; `None` leaves them out.

        event_tasks: Returns what `relay`, and the commands below `events`, call; `None` leaves them out.

        webhook_tasks: Returns what the commands below `webhooks` call; `None` leaves them out.

        audit_tasks: Returns what the commands below `audit` call; `None` leaves them out.

        load_consume: Returns what `consume` calls; `None` leaves it out.
    """
    # Plain help: importing rich takes twice as long as everything else together, and its tracebacks show the
    # values of variables, secrets included.
    cli = typer.Typer(
        name="fastapi-easy",
        help="Serve and look at fastapi_easy applications.",
        epilog="Exit codes: 0 success, 1 something is wrong, 2 the command cannot be run as given; migrate has others.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    def show_version(is_given: bool) -> None:
        if is_given:
            typer.echo(f"fastapi_easy {tasks.version()}")
            raise typer.Exit

    @cli.callback()
    def start(
        version: Annotated[
            bool, typer.Option("--version", help="Show the version.", callback=show_version, is_eager=True)
        ] = False,
    ) -> None:
        pass

    run.add_to(cli, tasks)
    routes.add_to(cli, tasks)
    asyncapi.add_to(cli, tasks)
    doctor.add_to(cli, tasks)
    breakers.add_to(cli, tasks)
    locks.add_to(cli, tasks)
    tenants.add_to(cli, tasks)
    if key_tasks is not None:
        keys.add_to(cli, key_tasks)
    if policies is not None:
        policy.add_to(cli, policies)
    if migrations is not None:
        migrate.add_to(cli, migrations)
    if encryption is not None:
        secrets.add_to(cli, encryption)
    if load_consume is not None:
        consuming.add_to(cli, load_consume)
    if event_tasks is not None:
        relay.add_to(cli, event_tasks)
        events.add_to(cli, event_tasks)
    if webhook_tasks is not None:
        webhooks.add_to(cli, webhook_tasks)
    if audit_tasks is not None:
        audit.add_to(cli, audit_tasks)
    return cli
