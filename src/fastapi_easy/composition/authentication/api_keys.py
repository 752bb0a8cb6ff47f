"""Where API keys are kept, and what verifies them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from fastapi_easy.application.authentication.keys.declaration import ApiKeys
from fastapi_easy.application.authentication.keys.keyring import Keyring
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.technologies import technology_of
from fastapi_easy.domain.authentication.api_key import API_KEYS
from fastapi_easy.domain.changes.journal import SystemTable
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.policies.bound_rule import find_permission_mistake
from fastapi_easy.domain.ports import ApiKeyStore, Authenticator, Clock, Database, EventBus
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.settings import Settings

__all__ = [
    "api_key_authenticator",
    "api_key_tables",
    "find_key_database",
    "keeps_keys_for_others",
    "open_api_key_store",
    "open_keyring",
    "read_api_keys",
]

_NO_KEYS: Final = (
    (
        "the application accepts no API keys: write api_keys = ApiKeys() in the container, or set "
        "authentication.api_keys.enabled"
    ),
)


def read_api_keys(settings: Settings) -> ApiKeys | None:
    """Return what the settings declare of API keys; `None` when they declare none."""
    found = settings.authentication.api_keys
    return ApiKeys(**found.model_dump(exclude={"enabled"})) if found.enabled else None


def _database_name(declared: ApiKeys, used: Sequence[str]) -> str:
    """Return the name of the database that API keys are kept in.

    Args:
        declared: May name it.

        used: The databases in which resources live, in the order of their declaration.

    Raises:
        DeclarationError: It names another one, which nobody would open.
    """
    if declared.database is None:
        return "default" if "default" in used or not used else used[0]
    if declared.database not in used:
        raise DeclarationError(
            [
                (
                    f"api_keys: no resource lives in database {declared.database!r}: name one of "
                    f"{', '.join(sorted(used)) or 'those that have some'}"
                )
            ]
        )
    return declared.database


def open_api_key_store(
    declared: ApiKeys | None, clock: Clock, used: Sequence[str], databases: Callable[[str], Database]
) -> ApiKeyStore | None:
    """Return where API keys are kept; nothing is connected yet. `None` when no keys are declared.

    Args:
        declared: What the program or the settings say of API keys.

        clock: Says how old a remembered key is.

        used: The databases in which resources live.

        databases: Returns a database by its name.

    Raises:
        DeclarationError: The database keeps no API keys.
    """
    if declared is None:
        return None
    from fastapi_easy.infrastructure.authentication.api_keys.cached_store import CachedApiKeyStore

    database = databases(_database_name(declared, used))
    make = technology_of(database).api_keys
    if make is None:
        raise DeclarationError(
            [
                (
                    f"api_keys: {type(database).__name__}, the database {database.name!r}, keeps no API keys: name "
                    "another one with ApiKeys(database=…), or replace api_key_store"
                )
            ]
        )
    return CachedApiKeyStore(make(database), clock, declared.cached_for)


def open_keyring(
    store: ApiKeyStore | None,
    clock: Clock,
    events: EventBus,
    declared: ApiKeys | None,
    resources: Mapping[str, Resource[Any]],
) -> Keyring:
    """Return what issues, lists and revokes keys.

    Args:
        store: Where they are kept.

        clock: Says when they are issued.

        events: Are told of each.

        declared: What the program declares of them.

        resources: Those whose permissions may be scopes of a key.

    Raises:
        DeclarationError: The application has no API keys.
    """
    if store is None:
        raise DeclarationError(_NO_KEYS)
    own = () if declared is None else declared.scopes
    return Keyring(
        store,
        clock,
        events,
        lambda scope: None if scope in own else find_permission_mistake(scope, resources),
    )


def api_key_authenticator(
    declared: ApiKeys | None, store: ApiKeyStore | None, clock: Clock
) -> tuple[Authenticator, ...]:
    """Return what verifies API keys; nothing when none are declared."""
    if declared is None or store is None:
        return ()
    from fastapi_easy.infrastructure.authentication.api_keys.authenticator import ApiKeyAuthenticator

    return (ApiKeyAuthenticator(store, clock, notes_use=declared.notes_use),)


def api_key_tables(declared: ApiKeys | None, used: Sequence[str], database: str) -> tuple[SystemTable, ...]:
    """Return the tables of API keys that *database* is to have."""
    return (API_KEYS,) if declared is not None and _database_name(declared, used) == database else ()


def find_key_database(application: Application) -> Database:
    """Return the database that API keys are kept in.

    Raises:
        DeclarationError: The application accepts no API keys.
    """
    declared = application.api_keys()
    if declared is None:
        raise DeclarationError(_NO_KEYS)
    used = {each.name: each for each in application.every_database()}
    return used[_database_name(declared, list(used))]


def keeps_keys_for_others(application: Application) -> bool:
    """Return whether another process sees the API keys of *application*.

    Raises:
        DeclarationError: The application accepts no API keys.
    """
    database = find_key_database(application)
    return database.technology != "memory" and not getattr(database, "is_scratch", False)
