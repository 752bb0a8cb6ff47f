"""The commands below `audit`."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from fastapi_easy.application.audit.trail_source import VerificationKeys
from fastapi_easy.audit import open_audit
from fastapi_easy.composition.audit.checkpoints import (
    new_signing_key,
    open_anchor,
    open_archive,
    read_key_file,
    write_key_file,
)
from fastapi_easy.composition.audit.grants import grants_of
from fastapi_easy.composition.audit.trail import is_audited
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports import AnchorSink
from fastapi_easy.interfaces.cli.audit.tasks import AuditQuestion, AuditTasks
from fastapi_easy.interfaces.cli.tasks import CommandError, Target


def audit_tasks_of(
    find: Callable[[Target], Any], report_mistakes: Callable[[], AbstractContextManager[None]]
) -> AuditTasks:
    """Return what the commands call.

    Args:
        find: Returns the container of the application at a target. Raises `CommandError`.

        report_mistakes: Turns a `DeclarationError` into a `CommandError`.
    """

    def ask(target: Target, question: AuditQuestion) -> Outcome[Any]:
        application = find(target)
        if not is_audited(application.declarations.values()):
            raise CommandError(f"{target.path} audits nothing: declare a resource with audit=True")
        _refuse_hidden(application)

        async def answer() -> Outcome[Any]:
            async with open_audit(application) as opened:
                return await question(opened)

        try:
            with report_mistakes():
                return asyncio.run(answer())
        except ConnectionError as error:
            raise CommandError(str(error)) from error

    def read_keys(file: Path) -> VerificationKeys:
        with report_mistakes():
            return read_key_file(file)

    def anchor_at(text: str) -> AnchorSink:
        with report_mistakes():
            return open_anchor(text, is_read=True)

    def generate(name: str) -> tuple[str, str]:
        with report_mistakes():
            return new_signing_key(name)

    def list_grants(target: Target, role: str, archiver: str | None) -> Sequence[str]:
        with report_mistakes():
            return grants_of(find(target), role, archiver)

    return AuditTasks(
        ask=ask,
        list_grants=list_grants,
        read_keys=read_keys,
        write_keys=lambda keys, has_macs: write_key_file(keys, has_macs=has_macs),
        open_anchor=anchor_at,
        open_archive=open_archive,
        generate=generate,
    )


def _refuse_hidden(application: Any) -> None:
    """Raise `CommandError` where the trail is in the memory of another process."""
    audited = {each.database for each in application.every_resource() if each.audit is not None}
    hidden = sorted(
        each.name
        for each in application.every_database()
        if each.name in audited and (each.technology == "memory" or getattr(each, "is_scratch", False))
    )
    if hidden:
        raise CommandError(
            f"the audit trail of {', '.join(hidden)} is in process memory and cannot be seen from another process"
        )
