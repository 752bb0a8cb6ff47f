"""The command `audit verify`, with a database or without."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from returns.result import Failure, Success

from fastapi_easy.application.audit.archive.archived_trail import ArchivedTrail, trails_in
from fastapi_easy.application.audit.opened_trails import OpenedTrails
from fastapi_easy.application.audit.trail_source import VerificationKeys
from fastapi_easy.application.audit.verification.prove_trail import verify_proof
from fastapi_easy.application.audit.verification.verify_trail import TrailVerification, VerificationReport
from fastapi_easy.domain.audit.findings import Verdict, verdict_of
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports import AnchorSink, ArchiveStore
from fastapi_easy.interfaces.cli.audit.key_commands import keys_of
from fastapi_easy.interfaces.cli.audit.outcomes import value_of
from fastapi_easy.interfaces.cli.audit.reports import (
    finding_members,
    findings_as_text,
    report_as_json,
    report_as_text,
    verdict_across,
)
from fastapi_easy.interfaces.cli.audit.tasks import AuditTasks, LoadAuditTasks
from fastapi_easy.interfaces.cli.output import report_command_errors
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, Json
from fastapi_easy.interfaces.cli.tasks import CommandError, Target

_EXAMPLES = """\b
Examples:
  fastapi-easy audit verify shop:app
  fastapi-easy audit verify shop:app --anchor /mnt/worm/checkpoints.ndjson --keys keys.json
  fastapi-easy audit verify --archive /srv/audit --keys keys.json
  fastapi-easy audit verify --proof entry.proof --keys keys.json
"""


def add_verify(group: typer.Typer, load_tasks: LoadAuditTasks) -> None:
    """Add the command to *group*."""

    @group.command(epilog=_EXAMPLES)
    def verify(  # noqa: PLR0913, PLR0917 (what typer makes of each is an option)
        app: Annotated[str | None, typer.Argument(metavar="[MODULE:APP]", show_default=False)] = None,
        stream: Annotated[str | None, typer.Option(help="Only this stream.", show_default="all")] = None,
        anchor: Annotated[
            list[str] | None,
            typer.Option(
                help="A file or a URL with checkpoints; repeat it.", show_default="those of the settings"
            ),
        ] = None,
        keys: Annotated[
            Path | None,
            typer.Option(
                help="A file with keys, as `audit keys` prints it.",
                exists=True,
                dir_okay=False,
                show_default="those of the settings",
            ),
        ] = None,
        archive: Annotated[
            Path | None,
            typer.Option(
                help="The folder with archived entries; without an application only that is verified.",
                exists=True,
                file_okay=False,
                show_default="that of the settings",
            ),
        ] = None,
        proof: Annotated[
            Path | None,
            typer.Option(
                help="A file with a proof of `audit prove`, which only is verified.",
                exists=True,
                dir_okay=False,
                show_default=False,
            ),
        ] = None,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Verify every entry, its chain, its MAC, its columns and all checkpoints."""
        with report_command_errors(debug=debug):
            tasks = load_tasks()
            given = None if keys is None else tasks.read_keys(keys)
            if proof is not None:
                _verify_proof(tasks, proof, given, app, app_dir, as_json=as_json)
            anchors = None if anchor is None else [tasks.open_anchor(each) for each in anchor]
            store = None if archive is None else tasks.open_archive(archive)
            if app is not None:
                answer = tasks.ask(
                    Target(path=app, folder=app_dir),
                    lambda opened: _verify_trails(opened, stream, given, anchors, store),
                )
            elif store is None or given is None:
                raise CommandError("name an application, or give --archive and --keys, or --proof and --keys")
            else:
                answer = asyncio.run(_verify_archive(store, stream, given, anchors or ()))
            reports = value_of(answer)
        typer.echo(report_as_json(reports) if as_json else report_as_text(reports))
        raise typer.Exit(int(verdict_across(reports)))


def _verify_proof(
    tasks: AuditTasks,
    file: Path,
    given: VerificationKeys | None,
    app: str | None,
    folder: Path,
    *,
    as_json: bool,
) -> None:
    keys = given
    if keys is None:
        if app is None:
            raise CommandError("a proof is verified with public keys: give --keys")
        keys = value_of(tasks.ask(Target(path=app, folder=folder), keys_of))
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read as text") from error
    proved, findings = verify_proof(text, keys.checkpoints if keys is not None else ())
    verdict = verdict_of(findings)
    if as_json:
        members = {
            "verdict": verdict.name.lower(),
            "seq": None if proved is None else proved.seq,
            "body": None if proved is None or findings else proved.body.decode("utf-8", "replace"),
            "findings": [finding_members(each) for each in findings],
        }
        typer.echo(json.dumps(members, indent=2))
    elif verdict is Verdict.INTACT and proved is not None:
        typer.echo(f"Entry {proved.seq} was there when the checkpoint was signed:")
        typer.echo(proved.body.decode("utf-8", "replace"))
    else:
        typer.echo("\n".join(findings_as_text(findings)))
    raise typer.Exit(int(verdict))


async def _verify_trails(
    opened: OpenedTrails,
    stream: str | None,
    keys: VerificationKeys | None,
    anchors: Sequence[AnchorSink] | None,
    archive: ArchiveStore | None,
) -> Outcome[dict[str, VerificationReport]]:
    reports: dict[str, VerificationReport] = {}
    for one in opened.operations:
        verified = await one.verify(stream, keys=keys, anchors=anchors, archive=archive)
        if isinstance(verified, Failure):
            return verified
        reports[one.name] = verified.unwrap()
    return Success(reports)


async def _verify_archive(
    archive: ArchiveStore, stream: str | None, keys: VerificationKeys, anchors: Sequence[AnchorSink]
) -> Outcome[dict[str, VerificationReport]]:
    names = await trails_in(archive)
    if isinstance(names, Failure):
        return names
    reports: dict[str, VerificationReport] = {}
    for name in names.unwrap():
        verification = TrailVerification(
            name=name, source=ArchivedTrail(archive, name), keys=keys, anchors=anchors, is_part=True
        )
        verified = await verification.verify(stream)
        if isinstance(verified, Failure):
            return verified
        reports[name] = verified.unwrap()
    return Success(reports)
