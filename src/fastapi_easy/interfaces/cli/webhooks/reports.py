"""What the commands below `webhooks` print."""

import datetime
import json
from typing import Final

import typer

from fastapi_easy.application.webhooks.webhooks import WebhookStanding
from fastapi_easy.domain.errors import Error, Invalid, NotFound, Unavailable
from fastapi_easy.domain.ports.webhook_store import Webhook
from fastapi_easy.domain.unavailable import StorageFull
from fastapi_easy.domain.values.sealed_text import read_sealed
from fastapi_easy.interfaces.cli.tasks import CommandError

HEADINGS: Final = ("ID", "URL", "EVENTS", "TENANT", "STATE", "BEHIND", "MISSED", "RETRY", "ERROR")


def command_error_of(error: Error) -> CommandError:
    """Return what to say of *error*."""
    match error:
        case Invalid(faults):
            return CommandError(
                "\n".join(f"{each.pointer.removeprefix('/')}: {each.message}" for each in faults)
            )
        case NotFound(_, key):
            return CommandError(f"there is no webhook with the id {key}: see webhooks list", exit_code=1)
        case StorageFull(dependency):
            return CommandError(f"the database {dependency!r} has no room left")
        case Unavailable(dependency):
            return CommandError(f"the database {dependency!r} does not answer")
        case other:
            return CommandError(f"the webhooks cannot be reached: {other.code}")


def members_of(webhook: Webhook) -> dict[str, object]:
    """Return *webhook* as JSON, without its secrets."""
    return {
        "id": webhook.id,
        "url": webhook.url,
        "events": list(webhook.events),
        "tenant": webhook.tenant,
        "state": _state(webhook),
        "position": webhook.position,
        "attempts": webhook.attempts,
        "retry_at": None if webhook.retry_at is None else _show(webhook.retry_at),
        "error": webhook.error,
        "created_at": _show(webhook.created_at),
        "secrets": len(webhook.secrets),
        "encryption_keys": sorted(
            {sealed.key_id for each in webhook.secrets if (sealed := read_sealed(each)) is not None}
        ),
    }


def members_of_standing(standing: WebhookStanding) -> dict[str, object]:
    """Return *standing* as JSON."""
    return {
        **members_of(standing.webhook),
        "database": standing.database,
        "behind": standing.behind,
        "missed": standing.missed,
    }


def row_of(standing: WebhookStanding) -> tuple[str, ...]:
    """Return *standing* as a row below `HEADINGS`."""
    webhook = standing.webhook
    return (
        webhook.id,
        webhook.url,
        ", ".join(webhook.events) or "all",
        webhook.tenant or "-",
        _state(webhook),
        str(standing.behind),
        str(standing.missed),
        "-" if webhook.retry_at is None else _show(webhook.retry_at),
        webhook.error or "-",
    )


def show_secret(webhook: Webhook, secret: str, *, as_json: bool) -> None:
    """Print *secret* on stdout, and what it is for on stderr."""
    if as_json:
        typer.echo(json.dumps({"secret": secret, **members_of(webhook)}, indent=2))
        return
    typer.echo(f"Webhook {webhook.id} to {webhook.url}. Its secret is not shown again:", err=True)
    typer.echo(secret)


def show_change(webhook: Webhook, change: str, *, as_json: bool) -> None:
    """Print what happened to *webhook*."""
    if as_json:
        typer.echo(json.dumps(members_of(webhook), indent=2))
    else:
        typer.echo(f"Webhook {webhook.id} to {webhook.url} {change}.")


def _state(webhook: Webhook) -> str:
    if webhook.disabled:
        return "disabled"
    return "failing" if webhook.attempts else "enabled"


def _show(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
