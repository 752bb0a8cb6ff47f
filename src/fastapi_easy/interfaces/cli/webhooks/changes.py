"""The commands below `webhooks` that change one: enable, disable, rotate, remove."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, Json, TargetPath
from fastapi_easy.interfaces.cli.webhooks.reports import show_change, show_secret

WebhookId = Annotated[str, typer.Argument(metavar="ID", help="As listed.", show_default=False)]


def add_changes(group: typer.Typer, ask: Callable[..., Any]) -> None:
    """Add the commands to *group*.

    Args:
        group: Of commands.

        ask: Returns the answer to a question about the webhooks of an application.
    """

    @group.command()
    def enable(
        app: TargetPath,
        webhook_id: WebhookId,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Deliver to a webhook again at once, from where it was, and forget its failures."""
        enabled = ask(app, app_dir, lambda webhooks: webhooks.enable(webhook_id), debug=debug)
        show_change(enabled, "is enabled", as_json=as_json)

    @group.command()
    def disable(
        app: TargetPath,
        webhook_id: WebhookId,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Send nothing to a webhook until it is enabled again."""
        disabled = ask(app, app_dir, lambda webhooks: webhooks.disable(webhook_id), debug=debug)
        show_change(disabled, "is disabled", as_json=as_json)

    @group.command()
    def rotate(
        app: TargetPath,
        webhook_id: WebhookId,
        finish: Annotated[
            bool, typer.Option("--finish", help="Make none, and sign with the newest secret only.")
        ] = False,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Give a webhook a new secret, and print it on stdout, this once. The one before signs too, until --finish."""
        if finish:
            finished = ask(app, app_dir, lambda webhooks: webhooks.finish_rotation(webhook_id), debug=debug)
            show_change(finished, "is signed with its newest secret only", as_json=as_json)
            return
        rotated = ask(app, app_dir, lambda webhooks: webhooks.rotate(webhook_id), debug=debug)
        show_secret(rotated.webhook, rotated.secret, as_json=as_json)

    @group.command()
    def remove(
        app: TargetPath,
        webhook_id: WebhookId,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Remove a webhook for good."""
        removed = ask(app, app_dir, lambda webhooks: webhooks.remove(webhook_id), debug=debug)
        show_change(removed, "is removed", as_json=as_json)
