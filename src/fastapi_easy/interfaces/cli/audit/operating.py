"""The commands `audit anchor`, `audit archive` and `audit erase`."""

import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer
from returns.result import Failure, Success

from fastapi_easy.application.audit.archive.archive_trail import ArchivedSegment
from fastapi_easy.application.audit.checkpoints.checkpointer import SignedStream
from fastapi_easy.application.audit.opened_trails import OpenedTrails
from fastapi_easy.application.audit.trail_operations import TrailOperations
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.interfaces.cli.audit.outcomes import value_of
from fastapi_easy.interfaces.cli.audit.reports import finding_members, findings_as_text
from fastapi_easy.interfaces.cli.audit.tasks import LoadAuditTasks
from fastapi_easy.interfaces.cli.output import report_command_errors
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, Json, TargetPath
from fastapi_easy.interfaces.cli.tasks import CommandError, Target


def add_operations(group: typer.Typer, load_tasks: LoadAuditTasks) -> None:
    """Add the commands to *group*."""

    @group.command()
    def anchor(
        app: TargetPath,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Make a checkpoint of every stream now, and send it to the anchors; the relay does so all the time."""
        with report_command_errors(debug=debug):
            signed: Mapping[str, Sequence[SignedStream]] = value_of(
                load_tasks().ask(Target(path=app, folder=app_dir), lambda opened: _each(opened, _sign))
            )
        typer.echo(_signed_as_json(signed) if as_json else _signed_as_text(signed))
        _end(each.findings for streams in signed.values() for each in streams)

    @group.command()
    def archive(
        app: TargetPath,
        older_than: Annotated[
            int, typer.Option(min=0, metavar="DAYS", help="The age of what is archived.")
        ] = 90,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Move what is old, and anchored, to the archive (audit.checkpoints.archive); the relay does so too."""
        age = datetime.timedelta(days=older_than)
        with report_command_errors(debug=debug):
            moved: Mapping[str, Sequence[ArchivedSegment]] = value_of(
                load_tasks().ask(
                    Target(path=app, folder=app_dir),
                    lambda opened: _each(opened, lambda one: _move(one, age)),
                )
            )
        segments = [each for every in moved.values() for each in every]
        typer.echo(_moved_as_json(segments) if as_json else _moved_as_text(segments))
        _end(each.findings for each in segments)

    @group.command()
    def erase(
        app: TargetPath,
        subject: Annotated[
            str, typer.Argument(help="Whom it is about, like customers/7.", show_default=False)
        ],
        reason: Annotated[str, typer.Option(help="For people; no personal data.")] = "",
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Make what the trail holds about a person unreadable for ever; every proof stays valid."""
        with report_command_errors(debug=debug):
            had_any = value_of(
                load_tasks().ask(
                    Target(path=app, folder=app_dir),
                    lambda opened: opened.trail.erase(subject, reason=reason),
                )
            )
        if as_json:
            typer.echo(json.dumps({"subject": subject, "erased": had_any}))
        elif had_any:
            typer.echo(f"What the audit trail holds about {subject} cannot be read any more.")
        else:
            typer.echo(f"The audit trail holds nothing about {subject} that can be read.")


async def _sign(one: TrailOperations) -> Outcome[Any]:
    if one.checkpointer is None:
        raise CommandError(
            "there is no key to sign with: print one with fastapi-easy audit keygen, and set "
            "audit.checkpoints.signing_keys"
        )
    return await one.checkpointer.sign_due(all_streams=True)


async def _move(one: TrailOperations, age: datetime.timedelta) -> Outcome[Any]:
    if one.archiving is None:
        raise CommandError("there is no archive: set audit.checkpoints.archive")
    return await one.archiving.archive_older_than(age)


async def _each(opened: OpenedTrails, act: Callable[[TrailOperations], Any]) -> Outcome[dict[str, Any]]:
    """Do the same with each trail; return what came of it by its name."""
    done: dict[str, Any] = {}
    for one in opened.operations:
        answer = await act(one)
        if isinstance(answer, Failure):
            return answer
        done[one.name] = answer.unwrap()
    return Success(done)


def _end(findings: Any) -> None:
    """End the command: with 1 when something was tampered with, and so neither signed nor moved."""
    raise typer.Exit(1 if any(findings) else 0)


def _signed_as_json(signed: Mapping[str, Sequence[SignedStream]]) -> str:
    members = {
        name: [
            {
                "stream": each.stream,
                "size": None if each.checkpoint is None else each.checkpoint.size,
                "findings": [finding_members(finding) for finding in each.findings],
            }
            for each in streams
        ]
        for name, streams in signed.items()
    }
    return json.dumps(members, indent=2)


def _signed_as_text(signed: Mapping[str, Sequence[SignedStream]]) -> str:
    lines: list[str] = []
    for name, streams in signed.items():
        for each in streams:
            if each.checkpoint is None:
                lines += [f"{name}/{each.stream} is not signed:", *findings_as_text(each.findings)]
            else:
                lines.append(f"{name}/{each.stream}: {each.checkpoint.size} entries are signed and anchored.")
    return "\n".join(lines) or "Nothing was written yet, or another process signs at this moment."


def _moved_as_json(segments: Sequence[ArchivedSegment]) -> str:
    members = [
        {
            "stream": each.stream,
            "first": each.first,
            "last": each.last,
            "file": each.file or None,
            "findings": [finding_members(finding) for finding in each.findings],
        }
        for each in segments
    ]
    return json.dumps(members, indent=2)


def _moved_as_text(segments: Sequence[ArchivedSegment]) -> str:
    lines: list[str] = []
    for each in segments:
        where = f"are in {each.file}." if each.file else "are not archived:"
        lines += [
            f"{each.stream}: entries {each.first} to {each.last} {where}",
            *findings_as_text(each.findings),
        ]
    return "\n".join(lines) or "Nothing is old enough, and anchored."
