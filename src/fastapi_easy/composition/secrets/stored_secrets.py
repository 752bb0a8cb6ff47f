"""What is stored encrypted, for the commands that look at it as it is stored."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi_easy.application.audit.subject_key_use import SUBJECT_KEYS, SubjectKeyUse
from fastapi_easy.application.secrets.rotate_secrets import EncryptedValues, StoredSecrets
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.audit.trail import is_audited
from fastapi_easy.composition.events.webhooks import webhook_secrets
from fastapi_easy.composition.secrets.wiring import SecretsWiring
from fastapi_easy.composition.technologies import technology_of
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.webhooks.table import WEBHOOKS

__all__ = ["open_stored_secrets"]


@asynccontextmanager
async def open_stored_secrets(
    application: Application, name: str | None = None
) -> AsyncIterator[Sequence[EncryptedValues]]:
    """Open the databases of *application*; nothing in them is compared or migrated.

    Args:
        application: The application.

        name: The resource to look at, or a table of the system, like `fe_webhooks`; `None` for all that have
            something encrypted.

    Raises:
        DeclarationError: There is no such resource, or it has no encrypted field.
    """
    secret = [each for each in application.every_resource() if each.secrets and each.secrets.encrypted]
    chosen = [each for each in secret if name in {None, each.name}]
    systems = {} if application.cipher() is None else _system_tables(application)
    chosen_systems = [each for table, found in systems.items() for each in found if name in {None, table}]
    if not chosen and not chosen_systems:
        known = ", ".join([*(each.name for each in secret), *systems]) or "none"
        raise DeclarationError(
            [f"{name or 'no resource'} has no encrypted fields; those that have some: {known}"]
        )
    wiring = SecretsWiring(application.cipher(), None, application.settings())
    async with AsyncExitStack() as stack:
        for database in application.every_database():
            _ = stack.push_async_callback(database.close)
            await database.open()
        of_resources = [
            StoredSecrets(
                each,
                technology_of(database).repository(each, database),
                wiring.ciphers_of(each),
            )
            for each in chosen
            for database in [application.databases.providers[each.database]()]
        ]
        yield [*of_resources, *chosen_systems]


def _system_tables(application: Application) -> Mapping[str, Sequence[EncryptedValues]]:
    """Return what is encrypted in tables of the system, by their names."""
    found = {WEBHOOKS.name: webhook_secrets(application), SUBJECT_KEYS: _subject_keys(application)}
    return {name: values for name, values in found.items() if values}


def _subject_keys(application: Application) -> Sequence[EncryptedValues]:
    """Return the keys of people in the audit trail, where those of `encryption.keys` encrypt them."""
    has_key = application.settings().audit.personal_key is not None
    if has_key or not is_audited(application.declarations.values()):
        return ()
    trail = application.audit_trail()
    personal = trail.personal
    return () if personal is None else [SubjectKeyUse(each, personal) for each in trail.sinks.values()]
