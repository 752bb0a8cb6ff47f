"""The commands below `webhooks`: add, list, test, enable, disable, rotate, remove."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, cast

import typer
import typer.main
from returns.result import Failure
from typer.core import TyperGroup

from fastapi_easy.application.webhooks.signed_posts import describe_failure
from fastapi_easy.domain.ports.webhook_sender import PostResult
from fastapi_easy.interfaces.cli.output import report_command_errors, table
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, Json, TargetPath
from fastapi_easy.interfaces.cli.tasks import CommandError, Target
from fastapi_easy.interfaces.cli.webhooks.changes import WebhookId, add_changes
from fastapi_easy.interfaces.cli.webhooks.reports import (
    HEADINGS,
    command_error_of,
    members_of_standing,
    row_of,
    show_secret,
)
from fastapi_easy.interfaces.cli.webhooks.tasks import LoadWebhookTasks, WebhookQuestion

_ADD_EXAMPLES: Final = """\b
Examples:
  fastapi-easy webhooks add shop:app https://hooks.example/orders --event 'orders.*'
  fastapi-easy webhooks add shop:app https://hooks.example/acme --event books.created --tenant acme
"""


def build_commands(load_tasks: LoadWebhookTasks) -> Mapping[str, Any]:
    """Return the commands by name.

    Args:
        load_tasks: Returns what they call.
    """
    group = typer.Typer(rich_markup_mode=None)

    def ask(app: str, folder: Any, question: WebhookQuestion, *, debug: bool) -> Any:
        with report_command_errors(debug=debug):
            answer = load_tasks().ask(Target(path=app, folder=folder), question)
            if isinstance(answer, Failure):
                raise command_error_of(answer.failure())
            return answer.unwrap()

    @group.command(epilog=_ADD_EXAMPLES)
    def add(
        app: TargetPath,
        url: Annotated[str, typer.Argument(help="Where it leads.", show_default=False)],
        event: Annotated[
            list[str] | None,
            typer.Option(
                help="A message it is sent, like books.created or books.*; repeat it.", show_default="all"
            ),
        ] = None,
        tenant: Annotated[
            str | None, typer.Option(help="Only messages of this tenant.", show_default="all")
        ] = None,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Add a webhook, and print its secret on stdout, this once. It is sent what happens from now on."""
        added = ask(
            app, app_dir, lambda webhooks: webhooks.add(url, events=event or (), tenant=tenant), debug=debug
        )
        show_secret(added.webhook, added.secret, as_json=as_json)

    @group.command("list")
    def list_webhooks(
        app: TargetPath, as_json: Json = False, app_dir: Folder = CURRENT_FOLDER, debug: Debug = False
    ) -> None:
        """List webhooks, and how far each has come."""
        standings = ask(app, app_dir, lambda webhooks: webhooks.list(), debug=debug)
        if as_json:
            typer.echo(json.dumps([members_of_standing(each) for each in standings], indent=2))
        else:
            typer.echo(table([HEADINGS, *map(row_of, standings)]))

    @group.command()
    def test(
        app: TargetPath,
        webhook_id: WebhookId,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Post an event of the type webhooks.ping to a webhook, and show what came of it; code 1 if it failed."""
        result: PostResult = ask(app, app_dir, lambda webhooks: webhooks.ping(webhook_id), debug=debug)
        failure = None if result.is_delivered else describe_failure(result)
        if as_json:
            report = {
                "id": webhook_id,
                "delivered": failure is None,
                "status": result.status,
                "error": failure,
            }
            typer.echo(json.dumps(report, indent=2))
        elif failure is None:
            typer.echo(f"Webhook {webhook_id} took the event: HTTP {result.status}.")
        if failure is not None:
            with report_command_errors(debug=debug):
                raise CommandError(f"webhook {webhook_id}: {failure}", exit_code=1)

    add_changes(group, ask)
    return cast("TyperGroup", typer.main.get_command(group)).commands
