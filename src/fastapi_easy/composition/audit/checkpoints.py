"""The checkpoints, anchors and archives of the audit trail of an application."""

import base64
import datetime
import json
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi_easy.application.audit.archive.archive_trail import TrailArchiving
from fastapi_easy.application.audit.checkpoints.archive_task import ArchiveOldEntries
from fastapi_easy.application.audit.checkpoints.checkpointer import Checkpointer, CheckpointRules
from fastapi_easy.application.audit.trail import AuditTrail
from fastapi_easy.application.audit.trail_operations import TrailOperations
from fastapi_easy.application.audit.trail_source import CheckpointKey, VerificationKeys
from fastapi_easy.application.events.relay_task import RelayTask
from fastapi_easy.composition.application import Application
from fastapi_easy.domain.audit.note_keys import NoteSigner
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports import AnchorSink, ArchiveStore
from fastapi_easy.settings.audit.checkpoints import CheckpointSettings

__all__ = [
    "checkpoint_tasks",
    "new_signing_key",
    "open_anchor",
    "open_archive",
    "read_key_file",
    "trail_operations",
    "write_key_file",
]


def trail_operations(application: Application) -> Sequence[TrailOperations]:
    """Return what operators do with the trail of each database of *application*; nothing is connected yet.

    Raises:
        DeclarationError: A key or an anchor cannot be read, or the library that signs is not installed.
    """
    chosen = application.settings().audit.checkpoints
    trail: AuditTrail = application.audit_trail()
    signers = _read_signers(chosen)
    keys = VerificationKeys(macs=trail.mac_keys, checkpoints=_read_verifiers(chosen, signers))
    anchors = [open_anchor(each) for each in chosen.anchors]
    origin = chosen.origin or (signers[0].verifier.name if signers else "")
    return [
        _operations(application, chosen, trail, database, f"{origin}/{database}", keys, anchors, signers)
        for database in trail.sinks
    ]


def _operations(  # noqa: PLR0913, PLR0917 (what was read once for all databases)
    application: Application,
    chosen: CheckpointSettings,
    trail: AuditTrail,
    database: str,
    name: str,
    keys: VerificationKeys,
    anchors: Sequence[AnchorSink],
    signers: Sequence[NoteSigner],
) -> TrailOperations:
    sink, clock = trail.sinks[database], application.clock()
    heartbeat = datetime.timedelta(seconds=chosen.heartbeat)
    checkpointer = archiving = None
    if signers:
        checkpointer = Checkpointer(
            trail=name,
            sink=sink,
            seal=trail.sealer.seal,
            mac_keys=trail.mac_keys,
            signers=signers,
            keys=keys.checkpoints,
            anchors=anchors,
            locks=application.locks(),
            clock=clock,
            rules=CheckpointRules(
                every=datetime.timedelta(seconds=chosen.every), entries=chosen.entries, heartbeat=heartbeat
            ),
        )
    if chosen.archive is not None:
        archiving = TrailArchiving(
            name=name,
            sink=sink,
            seal=trail.sealer.seal,
            keys=keys,
            anchors=anchors,
            archive=open_archive(chosen.archive),
            clock=clock,
        )
    return TrailOperations(
        name=name,
        database=database,
        sink=sink,
        keys=keys,
        anchors=anchors,
        clock=clock,
        heartbeat=heartbeat,
        checkpointer=checkpointer,
        archiving=archiving,
    )


def checkpoint_tasks(application: Application) -> Sequence[RelayTask]:
    """Return what the relay of *application* does for its audit trail; nothing where no key signs."""
    chosen = application.settings().audit.checkpoints
    if not chosen.signing_keys:
        return ()
    tasks: list[RelayTask] = []
    for each in trail_operations(application):
        if each.checkpointer is not None:
            tasks.append(each.checkpointer)
        if each.archiving is not None:
            age = datetime.timedelta(seconds=chosen.archive_after)
            archive = ArchiveOldEntries(
                name=f"archive of {each.name}", archiving=each.archiving, age=age, locks=application.locks()
            )
            tasks.append(archive)
    return tasks


def _read_signers(chosen: CheckpointSettings) -> Sequence[NoteSigner]:
    if not chosen.signing_keys:
        return ()
    _require_library()
    from fastapi_easy.infrastructure.audit.signing import read_signer

    return [read_signer(each.get_secret_value()) for each in chosen.signing_keys]


def _read_verifiers(chosen: CheckpointSettings, signers: Sequence[NoteSigner]) -> Sequence[CheckpointKey]:
    verifiers = [CheckpointKey(verifier=each.verifier) for each in signers]
    if chosen.public_keys:
        _require_library()
        from fastapi_easy.infrastructure.audit.signing import read_verifier

        verifiers += [CheckpointKey(verifier=read_verifier(each)) for each in chosen.public_keys]
    return verifiers


def _require_library() -> None:
    try:
        import cryptography  # noqa: F401
    except ModuleNotFoundError as error:
        raise DeclarationError(
            [f'{error.name} is not installed: pip install "fastapi_easy[audit]"']
        ) from error


def new_signing_key(name: str) -> tuple[str, str]:
    """Return a new private key called *name*, and its public key.

    Raises:
        DeclarationError: Signatures cannot have that name, or the library that signs is not installed.
    """
    _require_library()
    from fastapi_easy.infrastructure.audit.signing import generate_signer

    signer = generate_signer(name)
    return signer.export(), str(signer.verifier)


def open_anchor(text: str, *, is_read: bool = False) -> AnchorSink:
    """Return the anchor at *text*: `log:`, `file:///…`, `https://…`, or the path of a file.

    Args:
        text: Where it is.

        is_read: It is only read, so that a file has to be there already.

    Raises:
        DeclarationError: It is none of these, the file is not there, or the library for HTTP is not installed.
    """
    scheme = urllib.parse.urlsplit(text).scheme
    if text == "log:":
        from fastapi_easy.infrastructure.audit.anchors.log import LogAnchor

        return LogAnchor()
    if scheme in {"http", "https"}:
        try:
            from fastapi_easy.infrastructure.audit.anchors.http import HttpAnchor
        except ModuleNotFoundError as error:
            raise DeclarationError(
                [f'{error.name} is not installed: pip install "fastapi_easy[webhooks]"']
            ) from error
        return HttpAnchor(text)
    if scheme not in {"", "file"}:
        raise DeclarationError([f"anchors are not kept at {scheme}: use file:///…, log: or https://…"])
    from fastapi_easy.infrastructure.audit.anchors.file import FileAnchor

    path = Path(urllib.request.url2pathname(urllib.parse.urlsplit(text).path) if scheme else text)
    if is_read and not path.is_file():
        raise DeclarationError([f"{path} is not a file with checkpoints"])
    return FileAnchor(path)


def open_archive(folder: Path) -> ArchiveStore:
    """Return the archive in *folder*."""
    from fastapi_easy.infrastructure.audit.archive_folder import ArchiveFolder

    return ArchiveFolder(folder)


def read_key_file(path: Path) -> VerificationKeys:
    """Return the keys in a file that `write_key_file` has written, or somebody else in that form.

    Raises:
        DeclarationError: It cannot be read, or has another form. Never says a key.
    """
    _require_library()
    from fastapi_easy.infrastructure.audit.signing import read_verifier

    try:
        members: Any = json.loads(path.read_text("utf-8"))
        macs = {name: base64.b64decode(key, validate=True) for name, key in members.get("macs", {}).items()}
        checkpoints = [
            CheckpointKey(
                verifier=read_verifier(each["key"]),
                stream=each.get("stream"),
                first_size=int(each.get("from") or 0),
                last_size=None if each.get("to") is None else int(each["to"]),
            )
            for each in members.get("checkpoints", [])
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DeclarationError([f"{path} has no keys: write one with fastapi-easy audit keys"]) from error
    return VerificationKeys(macs=macs, checkpoints=checkpoints)


def write_key_file(keys: VerificationKeys, *, has_macs: bool) -> str:
    """Return *keys* as the content of a file; those of MACs, which are secret, only if it *has_macs*."""
    members: dict[str, Any] = {
        "checkpoints": [
            {"key": str(each.verifier), "stream": each.stream, "from": each.first_size, "to": each.last_size}
            for each in keys.checkpoints
        ]
    }
    if has_macs:
        members["macs"] = {name: base64.b64encode(key).decode() for name, key in keys.macs.items()}
    return json.dumps(members, indent=2)
