"""The command `audit export`."""

import enum
import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from returns.result import Failure, Success

from fastapi_easy.application.audit.archive.entry_formats import FORMATS
from fastapi_easy.application.audit.trail_operations import TrailOperations
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.interfaces.cli.audit.outcomes import chosen_trail, value_of
from fastapi_easy.interfaces.cli.audit.tasks import LoadAuditTasks
from fastapi_easy.interfaces.cli.output import report_command_errors
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, TargetPath
from fastapi_easy.interfaces.cli.tasks import CommandError, Target


class ExportFormat(enum.StrEnum):
    """The form of the lines."""

    NDJSON = "ndjson"
    OTEL = "otel"
    CLOUDEVENTS = "cloudevents"


def add_export(group: typer.Typer, load_tasks: LoadAuditTasks) -> None:
    """Add the command to *group*."""

    @group.command()
    def export(
        app: TargetPath,
        form: Annotated[
            ExportFormat,
            typer.Option(
                "--format",
                help="ndjson: as stored, to be verified again; otel: log records; cloudevents: CloudEvents 1.0.",
            ),
        ] = ExportFormat.NDJSON,
        stream: Annotated[str | None, typer.Option(help="Only this stream.", show_default="all")] = None,
        cursor: Annotated[
            Path | None,
            typer.Option(
                help="A file that remembers how far the last export came, so that this one goes on there.",
                dir_okay=False,
                show_default="none",
            ),
        ] = None,
        database: Annotated[
            str | None, typer.Option(help="The database whose trail is meant.", show_default="the only one")
        ] = None,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Print the entries on stdout, one JSON object on each line, each at least once."""
        with report_command_errors(debug=debug):
            value_of(
                load_tasks().ask(
                    Target(path=app, folder=app_dir),
                    lambda opened: _export(chosen_trail(opened, database), form, stream, cursor),
                )
            )


async def _export(
    one: TrailOperations, form: ExportFormat, stream: str | None, cursor: Path | None
) -> Outcome[None]:
    write = FORMATS[form.value]
    position = _read_cursor(cursor)
    async for batch in one.export.read(position, stream):
        if isinstance(batch, Failure):
            return batch
        entries = batch.unwrap()
        for each in entries:
            _ = sys.stdout.write(
                json.dumps(write(one.name, each), ensure_ascii=False, separators=(",", ":")) + "\n"
            )
        _ = sys.stdout.flush()
        # Whoever reads it has it by now: what is printed twice after a crash can be told by stream and number.
        position[entries[-1].stream] = entries[-1].seq
        _write_cursor(cursor, position)
    return Success(None)


def _read_cursor(cursor: Path | None) -> dict[str, int]:
    if cursor is None or not cursor.exists():
        return {}
    try:
        members: Any = json.loads(cursor.read_text("utf-8"))
        return {str(stream): int(seq) for stream, seq in members.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise CommandError(
            f"{cursor} is not the cursor of an export: remove it to export everything"
        ) from error


def _write_cursor(cursor: Path | None, position: dict[str, int]) -> None:
    if cursor is None:
        return
    unfinished = cursor.with_name(f".{cursor.name}.{os.getpid()}")
    _ = unfinished.write_text(json.dumps(position), "utf-8")
    _ = unfinished.replace(cursor)
