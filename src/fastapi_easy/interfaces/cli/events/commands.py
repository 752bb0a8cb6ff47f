"""The commands below `events`: lag, and list, retry and drop below `dead`."""

import datetime
import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn, Protocol, cast

import typer
import typer.main
from returns.result import Failure
from typer.core import TyperGroup

from fastapi_easy.application.events.outbox_operations import MOST_PARKED, Parked
from fastapi_easy.domain.errors import Error, NotFound, Outcome, Unavailable
from fastapi_easy.domain.unavailable import StorageFull
from fastapi_easy.interfaces.cli.events.tasks import LoadEventTasks, OutboxQuestion
from fastapi_easy.interfaces.cli.output import report_command_errors, table
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, Json, TargetPath
from fastapi_easy.interfaces.cli.tasks import CommandError, Target

_LAG_HEADINGS: Final = ("DATABASE", "WAITING", "OLDEST", "PARKED", "BEHIND PARKED")
_HEADINGS: Final = ("ID", "DATABASE", "MESSAGE", "KEY", "ATTEMPTS", "PARKED", "BEHIND", "ERROR")

MessageId = Annotated[str, typer.Argument(metavar="ID", help="As listed by dead list.", show_default=False)]


def build_commands(load_tasks: LoadEventTasks) -> Mapping[str, Any]:
    """Return the commands by name.

    Args:
        load_tasks: Returns what they call.
    """
    group = typer.Typer(rich_markup_mode=None)
    dead = typer.Typer(
        help="List, retry and drop messages that could not be published.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.add_typer(dead, name="dead")
    ask = _asking(load_tasks)
    _add_lag(group, ask)
    _add_list(dead, ask)
    _add_retry(dead, ask)
    _add_drop(dead, ask)
    return cast("TyperGroup", typer.main.get_command(group)).commands


class _Ask(Protocol):
    def __call__(self, app: str, folder: Path, question: OutboxQuestion, *, debug: bool) -> Any: ...


def _asking(load_tasks: LoadEventTasks) -> _Ask:
    def ask(app: str, folder: Path, question: OutboxQuestion, *, debug: bool) -> Any:
        with report_command_errors(debug=debug):
            return _value_of(load_tasks().ask(Target(path=app, folder=folder), question))

    return ask


def _add_lag(group: typer.Typer, ask: _Ask) -> None:
    @group.command()
    def lag(
        app: TargetPath,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Show what has not been published yet; exit code 1 when a message is parked."""
        lags = ask(app, app_dir, lambda outboxes: outboxes.lag(), debug=debug)
        if as_json:
            typer.echo(json.dumps({name: asdict(each) for name, each in lags.items()}, indent=2))
        else:
            rows = [
                (name, str(each.waiting), f"{each.oldest:.1f} s", str(each.parked), str(each.behind_parked))
                for name, each in lags.items()
            ]
            typer.echo(table([_LAG_HEADINGS, *rows]))
        if any(each.parked for each in lags.values()):
            raise typer.Exit(1)


def _add_list(dead: typer.Typer, ask: _Ask) -> None:
    @dead.command("list")
    def list_parked(
        app: TargetPath,
        limit: Annotated[int, typer.Option(min=1, help="Of each database at most.")] = MOST_PARKED,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """List messages that are parked, with the number of those that wait behind each."""
        found = ask(app, app_dir, lambda outboxes: outboxes.list_parked(limit=limit), debug=debug)
        if as_json:
            typer.echo(json.dumps([_members(each) for each in found], indent=2))
        else:
            typer.echo(table([_HEADINGS, *map(_row, found)]))


def _add_retry(dead: typer.Typer, ask: _Ask) -> None:
    @dead.command()
    def retry(
        app: TargetPath,
        message_id: Annotated[
            str | None, typer.Argument(metavar="ID", help="As listed by dead list.", show_default=False)
        ] = None,
        every: Annotated[bool, typer.Option("--all", help="Retry all of them.")] = False,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Have a parked message published, as if it had never been tried, and then those behind it."""
        if every is (message_id is not None):
            raise typer.BadParameter("give the ID of a message, or --all")
        if message_id is None:
            number = ask(app, app_dir, lambda outboxes: outboxes.retry_all(), debug=debug)
        else:
            given = _parse(message_id)
            ask(app, app_dir, lambda outboxes: outboxes.retry(given), debug=debug)
            number = 1
        typer.echo(json.dumps({"retried": number}) if as_json else f"{number} to be published again.")


def _add_drop(dead: typer.Typer, ask: _Ask) -> None:
    @dead.command()
    def drop(
        app: TargetPath,
        message_id: MessageId,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Never publish a parked message, so that those behind it are; it stays in the change feed."""
        given = _parse(message_id)
        ask(app, app_dir, lambda outboxes: outboxes.drop(given), debug=debug)
        typer.echo(json.dumps({"dropped": str(given)}) if as_json else f"{given} is never published.")


def _parse(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise typer.BadParameter("an ID is a UUID, as dead list shows it") from None


def _value_of(answer: Outcome[Any]) -> Any:
    if isinstance(answer, Failure):
        _raise(answer.failure())
    return answer.unwrap()


def _raise(error: Error) -> NoReturn:
    match error:
        case NotFound(_, key):
            raise CommandError(f"no message with the id {key} is parked: see events dead list", exit_code=1)
        case StorageFull(dependency):
            raise CommandError(f"the database {dependency!r} has no room left")
        case Unavailable(dependency):
            raise CommandError(f"the database {dependency!r} does not answer")
        case other:
            raise CommandError(f"the outbox cannot be reached: {other.code}")


def _members(found: Parked) -> dict[str, object]:
    parked, message = found.parked, found.parked.message
    return {
        "id": str(message.id),
        "database": found.database,
        "message": message.name,
        "key": message.key,
        "tenant": message.tenant,
        "occurred_at": _show(message.occurred_at),
        "attempts": parked.attempts,
        "parked_at": _show(parked.parked_at),
        "behind": parked.waiting,
        "error": parked.error,
    }


def _row(found: Parked) -> tuple[str, ...]:
    parked, message = found.parked, found.parked.message
    return (
        str(message.id),
        found.database,
        message.name,
        message.key if isinstance(message.key, str) else json.dumps(message.key),
        str(parked.attempts),
        _show(parked.parked_at),
        str(parked.waiting),
        parked.error,
    )


def _show(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
