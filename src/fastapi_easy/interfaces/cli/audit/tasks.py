"""What the commands below `audit` need from the composition root."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from fastapi_easy.application.audit.opened_trails import OpenedTrails
from fastapi_easy.application.audit.trail_source import VerificationKeys
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports import AnchorSink, ArchiveStore
from fastapi_easy.interfaces.cli.tasks import Target

AuditQuestion: TypeAlias = Callable[[OpenedTrails], Awaitable[Outcome[Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditTasks:
    """The functions behind the commands below `audit`. Each raises `CommandError`.

    Attributes:
        ask: Opens the audit trail of an application, asks a question, closes it, and returns the answer.

        read_keys: Returns the keys in a file.

        write_keys: Returns keys as the content of such a file, with those of MACs or without.

        open_anchor: Returns the anchor at a path or a URL.

        open_archive: Returns the archive in a folder.

        generate: Returns a new private key with a name, and its public key.

        list_grants: Returns the SQL that lets a role write the trail of an application, and another one archive it.
    """

    ask: Callable[[Target, AuditQuestion], Outcome[Any]]
    read_keys: Callable[[Path], VerificationKeys]
    write_keys: Callable[[VerificationKeys, bool], str]
    open_anchor: Callable[[str], AnchorSink]
    open_archive: Callable[[Path], ArchiveStore]
    generate: Callable[[str], tuple[str, str]]
    list_grants: Callable[[Target, str, str | None], Sequence[str]]


LoadAuditTasks: TypeAlias = Callable[[], AuditTasks]
"""Returns the functions; called when a command below `audit` is."""
