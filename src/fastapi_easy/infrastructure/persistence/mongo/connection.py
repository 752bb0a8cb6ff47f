"""One MongoDB database and its pool of connections."""

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, assert_never

from returns.result import Failure, Success

from fastapi_easy.domain.errors import DeclarationError, Error, Outcome
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.ports.breaker import Breaker, CallNotPermitted
from fastapi_easy.domain.ports.database import Pool, SchemaMode
from fastapi_easy.domain.ports.dependency import CallQueue
from fastapi_easy.domain.ports.tracer import Tracer
from fastapi_easy.domain.resources.capability import EVERY_CAPABILITY, Capability
from fastapi_easy.domain.resources.resource import Resource, Shape
from fastapi_easy.domain.values.limits import INTEGER_LIMITS
from fastapi_easy.infrastructure.persistence.mongo import schema
from fastapi_easy.infrastructure.persistence.mongo.documents import case_folding
from fastapi_easy.infrastructure.persistence.mongo.documents.codec import is_object_id
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import Plan, find_invalid_names
from fastapi_easy.infrastructure.persistence.mongo.documents.other_values import (
    ANY_TEXT,
    NON_FINITE,
    OTHER_TYPES_OF_TEXT,
)
from fastapi_easy.infrastructure.persistence.mongo.documents.scalars import DECIMAL_DIGITS
from fastapi_easy.infrastructure.persistence.mongo.driver.client import Client
from fastapi_easy.infrastructure.persistence.mongo.driver.options import ConnectionOptions
from fastapi_easy.infrastructure.persistence.mongo.driver.traced import TracedClient
from fastapi_easy.infrastructure.persistence.mongo.driver.transaction import Transaction
from fastapi_easy.infrastructure.persistence.mongo.driver.url import resolve
from fastapi_easy.infrastructure.persistence.mongo.errors import (
    DATABASE_ERRORS,
    PoolExhausted,
    as_unavailable,
    is_unreachable,
)

CHECK_TIMEOUT: Final = 2.0
"""Seconds that `check` waits."""

_UNSUPPORTED: Final = frozenset({Capability.MICROSECONDS, Capability.REFERENCES})
"""What no server has: times are kept in milliseconds, and there are no foreign keys."""

_UNSUPPORTED_STANDALONE: Final = _UNSUPPORTED | {Capability.TRANSACTIONS}
"""What a stand-alone server does not have."""

_HEX_DIGITS: Final = 24


class MongoDatabase:
    """Implements `Database` on MongoDB 6.0 or later, through PyMongo's asynchronous client or Motor's.

    Args:
        name: Its name in the settings.

        url: `mongodb://…`, `mongodb+srv://…`, or `mongodb+motor://…` for Motor.

        options: Limits.

        breaker: Returns the circuit breaker of calls; called for each call, so that it can be replaced.

        tracer: Records each command; `None` records nothing.

    Attributes:
        url: The URL as it was given.

    Raises:
        DeclarationError: The URL cannot be understood, or its driver is not installed.
    """

    def __init__(
        self,
        name: str,
        url: str,
        options: ConnectionOptions | None = None,
        breaker: Callable[[], Breaker | None] = lambda: None,
        tracer: Tracer | None = None,
    ) -> None:
        self._name = name
        self.url = url
        address, limits = resolve(url), ConnectionOptions() if options is None else options
        self._make_client: Callable[[], Client] = (
            partial(Client, address, limits, breaker)
            if tracer is None
            else partial(TracedClient, address, limits, breaker, tracer)
        )
        self._client: Client | None = self._make_client()
        self._has_transactions: bool | None = None
        self._plans: dict[Resource[Any], Plan] = {}

    @property
    def name(self) -> str:
        """Its name in the settings."""
        return self._name

    @property
    def technology(self) -> str:
        """The name of the technology, for people."""
        return "MongoDB"

    @property
    def capabilities(self) -> frozenset[Capability]:
        """The capabilities of the server, as far as they are known.

        That a server has no transactions is known once it has been asked.
        """
        lacking = _UNSUPPORTED if self._has_transactions in {None, True} else _UNSUPPORTED_STANDALONE
        return EVERY_CAPABILITY - lacking

    @property
    def pool(self) -> Pool | None:
        """Its connections."""
        return self.client.pool

    @property
    def queue(self) -> CallQueue:
        """The calls that wait for a connection."""
        return self.client.queue

    @property
    def client(self) -> Client:
        """The client that calls go through; made anew after `close`."""
        if self._client is None:
            self._client = self._make_client()
        return self._client

    def narrow_shape(self, name: str, shape: Shape) -> tuple[Shape, list[str]]:
        """Narrow *shape* to what this database can hold."""
        mistakes = find_invalid_names(name, shape)
        return dataclasses.replace(
            shape,
            fields=tuple(
                _name_other_values(_narrow_field(field), is_key=field.name in shape.key)
                for field in shape.fields
            ),
        ), mistakes

    async def open(self) -> None:
        """Prepare what no call shall wait for; nothing is connected before the first call."""
        # The table takes a tenth of a second to make: not during the first call.
        case_folding.prepare()

    async def close(self) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def check(self) -> Outcome[None]:
        """Ask whether the database answers, within `CHECK_TIMEOUT`, past the breaker and the wait queue."""
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
                await self.client.ping()
        except DATABASE_ERRORS as error:
            return self._unavailable(error)
        return Success(None)

    async def prepare(self, resources: Sequence[Resource[Any]], mode: SchemaMode) -> Outcome[Sequence[str]]:
        """Bring or compare the stored schema of *resources*, as *mode* says."""
        plans = self._make_plans(resources)
        unsupported = [
            f"{relation!r} uses an association table, which MongoDB does not support: keep the keys in a list and "
            "declare the relation with to_listed, or leave it out of the relations of the resource"
            for resource in resources
            for relation in resource.relations.values()
            if relation.through is not None
        ]
        if mode is SchemaMode.OFF or unsupported:
            return Success(unsupported)
        try:
            _ = await self.has_transactions()
            differences = await schema.prepare(self.client, plans, mode)
        except DATABASE_ERRORS as error:
            return self._unavailable(error)
        return Success(tuple(differences))

    def plan(self, resource: Resource[Any]) -> Plan:
        """Return the plan of *resource*, which is made once."""
        found = self._plans.get(resource)
        if found is None:
            found = self._plans[resource] = Plan(resource)
        return found

    def begin(self) -> Transaction:
        """Return a new transaction, as far as the server has any."""
        return Transaction(self.client, self.has_transactions)

    def autocommit(self) -> Transaction:
        """Return a transaction object in which every call commits by itself."""
        return Transaction(self.client)

    async def has_transactions(self) -> bool:
        """Return whether the server has transactions: a stand-alone server does not. Asked once."""
        if self._has_transactions is None:
            hello = await self.client.command("hello")
            # A member of a replica set, or a router of a sharded cluster (mongos).
            self._has_transactions = "setName" in hello or hello.get("msg") == "isdbgrid"
        return self._has_transactions

    def _make_plans(self, resources: Sequence[Resource[Any]]) -> list[Plan]:
        mistakes: list[str] = []
        plans: list[Plan] = []
        for resource in resources:
            try:
                plans.append(self.plan(resource))
            except DeclarationError as error:
                mistakes += error.mistakes
        owners: dict[str, Resource[Any]] = {}
        for plan in plans:
            other = owners.setdefault(plan.collection, plan.resource)
            if other.stored is not plan.resource.stored:
                mistakes.append(
                    f"{plan.resource.name}: {other.name}, of another class, is stored in the collection "
                    f"{plan.collection!r} too: give one of the classes a __collection__ of its own"
                )
        if mistakes:
            raise DeclarationError(mistakes)
        return plans

    def _unavailable(self, error: BaseException) -> Failure[Error]:
        if not isinstance(error, PoolExhausted | CallNotPermitted) and not is_unreachable(error):
            raise error
        return Failure(as_unavailable(error, self._name))


def _narrow_field(field: Field) -> Field:
    low, high = INTEGER_LIMITS
    match field.kind:
        case Kind.INTEGER:
            return dataclasses.replace(
                field,
                minimum=low if field.minimum is None else max(low, field.minimum),
                maximum=high if field.maximum is None else min(high, field.maximum),
            )
        case Kind.DECIMAL:
            return dataclasses.replace(
                field, precision=min(field.precision or DECIMAL_DIGITS, DECIMAL_DIGITS)
            )
        case Kind.TEXT if is_object_id(field):
            return dataclasses.replace(field, min_length=_HEX_DIGITS, max_length=_HEX_DIGITS)
        case (
            Kind.TEXT
            | Kind.FLOAT
            | Kind.BOOLEAN
            | Kind.DATE
            | Kind.TIME
            | Kind.DATETIME
            | Kind.DURATION
            | Kind.UUID
            | Kind.BINARY
            | Kind.ENUM
            | Kind.JSON
            | Kind.ARRAY
        ):
            return field
        case never:
            assert_never(never)


def _name_other_values(field: Field, *, is_key: bool) -> Field:
    """Let callers name the values of other types that documents hold, and the numbers JSON does not have."""
    other_types = OTHER_TYPES_OF_TEXT if field.kind is Kind.TEXT else ANY_TEXT
    if is_key:
        return dataclasses.replace(field, other_values=ANY_TEXT, other_types=other_types)
    is_fractional = field.kind in {Kind.FLOAT, Kind.DECIMAL}
    return dataclasses.replace(
        field, other_values=NON_FINITE if is_fractional else None, other_types=other_types
    )
