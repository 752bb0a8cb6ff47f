"""The handler of a reading use case whose answers are kept."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from returns.result import Failure

from fastapi_easy.application.access import Access
from fastapi_easy.application.cached_tables import CachedTables
from fastapi_easy.application.caching.answer_codec import AnswerCodec
from fastapi_easy.application.caching.fingerprint import Fingerprint
from fastapi_easy.application.caching.model_version import model_version
from fastapi_easy.application.caching.resolved_permissions import ResolvedPolicy, remembering
from fastapi_easy.application.caching.single_flight import SingleFlight
from fastapi_easy.application.caching.uncacheable import Uncacheable
from fastapi_easy.application.collaborators import Collaborators, ResourceHandler
from fastapi_easy.application.context import Context
from fastapi_easy.application.pipeline.step import Handler
from fastapi_easy.domain.deadline import Deadline, leave_deadline, remaining_seconds
from fastapi_easy.domain.errors import DeadlineExceeded, Outcome
from fastapi_easy.domain.ports.result_cache import ResultCache
from fastapi_easy.domain.resources.options import Cache, Operation
from fastapi_easy.domain.resources.resource import Resource

_JITTER: Final = 0.1
"""The share of its time by which an answer lives longer or shorter, so that not all end at one moment."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """An answer of the inner handler.

    Attributes:
        outcome: The answer, which one caller may have.

        encoded: The same for all others; `None` when it cannot be kept.
    """

    outcome: Outcome[Any]
    encoded: bytes | None


class CachedHandler(ResourceHandler):
    """Carries out one reading operation, and keeps the answers while nothing they depend on has changed.

    The key of an answer holds the version of the model, the tenant, what the caller may see, the query, and the
    generations of the tables that it was read from. These are read before the answer is made: what is made while
    somebody commits is kept under generations that nobody finds any more.

    Args:
        collaborators: The ports that it works with.

        make: Makes the handler that answers.

        operation: What it answers.

        cache: Keeps the answers.

        tables: The tables that answers depend on, with their generations.

        flights: What is being answered at the moment.

        limit: Seconds that an answer may take.
    """

    def __init__(
        self,
        collaborators: Collaborators,
        *,
        make: Callable[[Collaborators], Handler[Any, Any]],
        operation: Operation,
        cache: ResultCache,
        tables: CachedTables,
        flights: SingleFlight[Loaded],
        limit: float,
    ) -> None:
        super().__init__(remembering(collaborators))
        resource = self._resource
        options = resource.cache or Cache()
        self._make = make
        self._answer = make(self._collaborators)
        self._operation = operation
        self._cache = cache
        self._tables = tables
        self._generations = tables.generations[resource.database]
        self._flights = flights
        self._limit = limit
        self._seconds = options.seconds
        self._codec = AnswerCodec(resource, operation)
        self._models: dict[str, str] = {}

    async def __call__(self, command: Any, context: Context, /) -> Outcome[Any]:
        """Return the answer to *command*, kept or new.

        Fails with: what the inner handler fails with.
        """
        access = await self._enter(context, self._operation)
        if not isinstance(access, Access):
            return access
        key = None if context.dry_run is not None else await self._key_of(command, access)
        if key is None:
            return await self._load(command, access)
        kept = await self._cache.get(key)
        if kept is not None and (answer := self._codec.decode(kept, command)) is not None:
            return answer
        waiting = asyncio.timeout(remaining_seconds())
        try:
            async with waiting:
                loaded, is_first = await self._flights.run(
                    key, lambda: self._load_and_keep(key, command, access)
                )
        except TimeoutError:
            if not waiting.expired():
                raise
            return Failure(DeadlineExceeded(self._resource.database))
        if loaded.encoded is not None and (answer := self._codec.decode(loaded.encoded, command)) is not None:
            return answer
        if is_first or isinstance(loaded.outcome, Failure):
            return loaded.outcome
        # Rows belong to whoever gets them, so that nobody gets those of another caller.
        return await self._load(command, access)

    async def _key_of(self, command: Any, access: Access) -> str | None:
        """Return the key of the answer to *command*, as of now; `None` where it cannot be kept."""
        fingerprint = self._codec.fingerprint(command)
        if fingerprint is None or any(map(_holds_secrets, fingerprint.resources.values())):
            return None
        tenant = access.context.tenant
        try:
            fingerprint.add_grants(access)
            fingerprint.add(self._operation.value, tenant)
        except Uncacheable:
            return None
        tables = self._tables_of(fingerprint)
        names = self._tables.names_for_read(self._resource.database, tables, tenant)
        if names is None:
            return None
        read = await self._generations.read(names)
        if isinstance(read, Failure):
            # Whoever asks the database for the answer is told what is wrong with it.
            return None
        generations = read.unwrap()
        if not generations.keys() >= tables:
            # Nobody has prepared them: without a generation one database could not be told from another.
            return None
        found = sorted(generations.items())
        models = [self._model(each) for _, each in sorted(fingerprint.resources.items())]
        parts = repr((models, fingerprint.text(), found)).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(parts, digest_size=32).hexdigest()

    def _tables_of(self, fingerprint: Fingerprint) -> set[str]:
        names = self._generations
        tables = {names.table_of(each) for each in fingerprint.resources.values()}
        between = (names.association_of(each) for each in fingerprint.relations.values())
        return tables.union(each for each in between if each is not None)

    def _model(self, resource: Resource[Any]) -> str:
        found = self._models.get(resource.name)
        if found is None:
            found = self._models[resource.name] = model_version(resource)
        return found

    async def _load_and_keep(self, key: str, command: Any, access: Access) -> Loaded:
        leave_deadline()
        deadline = Deadline(self._limit)
        try:
            outcome = await self._load(command, access)
        finally:
            deadline.end()
        encoded = self._codec.encode(outcome, command)
        if encoded is not None:
            lifetime = self._seconds * (1 + _JITTER * (secrets.randbelow(2001) - 1000) / 1000)
            await self._cache.set(key, encoded, lifetime)
        return Loaded(outcome, encoded)

    async def _load(self, command: Any, access: Access) -> Outcome[Any]:
        """Return a new answer to *command* within the very permissions that its key was made from."""
        permissions = access.permissions
        if permissions is None:
            return await self._answer(command, access.context)
        ports = replace(self._collaborators.ports, policy=ResolvedPolicy(permissions))
        return await self._make(replace(self._collaborators, ports=ports))(command, access.context)


def _holds_secrets(resource: Resource[Any]) -> bool:
    """Return whether rows of *resource* hold decrypted values, which are to be stored nowhere."""
    return resource.secrets is not None and bool(resource.secrets.encrypted)
