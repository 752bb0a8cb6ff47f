"""What writes the audit trail of an application."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from fastapi_easy.application.audit.recording.reads import ReadLog
from fastapi_easy.application.audit.trail import AuditTrail
from fastapi_easy.composition.technologies import technology_of
from fastapi_easy.domain.audit.sealing import Sealer
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.history.history_limits import HistoryLimits
from fastapi_easy.domain.ports import AuditSink, Cipher, Clock, Database, Tracer
from fastapi_easy.domain.resources.declaration import Declaration
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.infrastructure.security.base64_keys import decode_key
from fastapi_easy.settings import Settings
from fastapi_easy.settings.audit.recording import AuditSettings

__all__ = ["is_audited", "open_audit_trail", "open_read_log"]

_NO_KEY: Final = (
    "audit= needs a key, which is kept outside of the database: print one with `fastapi-easy secrets generate`, and "
    "set audit.keys"
)
_NO_PERSONAL_KEY: Final = (
    "Audit(personal=…) needs a key that those of people are encrypted with: print one with `fastapi-easy secrets "
    "generate`, and set audit.personal_key"
)


def is_audited(declarations: Iterable[Declaration[Any]]) -> bool:
    """Return whether one of *declarations* says that changes are audited."""
    return any(each.audit for each in declarations)


def open_audit_trail(
    settings: Settings,
    resources: Callable[[], Iterable[Resource[Any]]],
    databases: Callable[[str], Database],
    clock: Clock,
    cipher: Callable[[], Cipher | None],
    tracer: Tracer | None,
) -> AuditTrail:
    """Return what writes the audit trail; nothing is connected yet.

    Args:
        settings: Have the keys.

        resources: Returns every resource.

        databases: Returns a database by its name.

        clock: Dates entries.

        cipher: Returns what encrypts the keys of people, where the settings have no key for that.

        tracer: Whether calls belong to traces.

    Raises:
        DeclarationError: A database keeps no audit trail, a key is missing, or nothing is audited.
    """
    known = {each.name: each for each in resources()}
    audited = [each for each in known.values() if each.audit is not None]
    if not audited:
        raise DeclarationError(["no resource is declared with audit=, so that there is no audit trail"])
    used = list(dict.fromkeys(each.database for each in audited))
    mistakes: list[str] = []
    sinks: dict[str, AuditSink] = {}
    for name in used:
        database = databases(name)
        make = technology_of(database).audit
        if make is None:
            mistakes.append(
                f"database {name!r}: {database.technology} keeps no audit trail: declare without audit"
            )
        else:
            sinks[name] = make(database)
    chosen = settings.audit
    keys, current = _read_keys(chosen, [each.name for each in audited], mistakes)
    personal: Any = None
    if any(each.audit is not None and each.audit.personal for each in audited):
        personal = _personal_cipher(chosen, cipher, mistakes)
    if mistakes:
        raise DeclarationError(mistakes)
    return AuditTrail(
        resources=known,
        sinks=sinks,
        security="default" if "default" in sinks else used[0],
        sealer=Sealer(current, keys[current]),
        mac_keys=keys,
        clock=clock,
        streams=chosen.streams,
        personal=_personal_values(personal),
        trace=str if tracer is None else _current_trace_id(),
        history=HistoryLimits(**chosen.history.model_dump()),
    )


def open_read_log(trail: AuditTrail, settings: Settings) -> ReadLog:
    """Return what records reads."""
    return ReadLog(trail, settings.audit.reads)


def _read_keys(
    chosen: AuditSettings, audited: list[str], mistakes: list[str]
) -> tuple[Mapping[str, bytes], str]:
    """Return the keys and the id of the current one; add to *mistakes* what is wrong with them."""
    if not chosen.keys:
        mistakes.append(f"{', '.join(audited)}: {_NO_KEY}")
        return {}, ""
    keys: dict[str, bytes] = {}
    for name, secret in chosen.keys.items():
        key = decode_key(secret.get_secret_value())
        if key is None:
            mistakes.append(
                f"audit.keys.{name} is not 32 bytes in base64: print one with `fastapi-easy secrets generate`"
            )
        else:
            keys[name] = key
    current = chosen.current
    if current is None and len(chosen.keys) == 1:
        current = next(iter(chosen.keys))
    known = ", ".join(sorted(chosen.keys))
    if current is None:
        mistakes.append(f"audit.current is not set: set it to the id of one of audit.keys ({known})")
    elif current not in chosen.keys:
        mistakes.append(f"audit.current is {current!r}, which is not among audit.keys ({known})")
    return keys, current or ""


def _personal_cipher(
    chosen: AuditSettings, cipher: Callable[[], Cipher | None], mistakes: list[str]
) -> Cipher | None:
    if chosen.personal_key is None:
        found = cipher()
        if found is None:
            mistakes.append(_NO_PERSONAL_KEY)
        return found
    key = decode_key(chosen.personal_key.get_secret_value())
    if key is None:
        mistakes.append(
            "audit.personal_key is not 32 bytes in base64: print one with `fastapi-easy secrets generate`"
        )
        return None
    try:
        from fastapi_easy.infrastructure.security.aes_gcm import AesGcmCipher
    except ModuleNotFoundError as error:
        mistakes.append(f'{error.name} is not installed: pip install "fastapi_easy[audit]"')
        return None
    return AesGcmCipher({"personal": key}, "personal")


def _personal_values(cipher: Cipher | None) -> Any:
    if cipher is None:
        return None
    from fastapi_easy.application.audit.entries.personal_values import PersonalValues
    from fastapi_easy.infrastructure.security.subject_keys import AesGcmSubjectCipher

    return PersonalValues(AesGcmSubjectCipher(cipher))


def _current_trace_id() -> Callable[[], str]:
    from fastapi_easy.infrastructure.observation.open_telemetry import current_traceparent

    def trace_id() -> str:
        # 00-<trace>-<span>-<flags>
        return current_traceparent().partition("-")[2].partition("-")[0]

    return trace_id
