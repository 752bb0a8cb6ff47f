"""Webhooks in SQLite, PostgreSQL, MySQL and MariaDB."""

import uuid
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final, TypeVar

from returns.result import Failure, Success
from sqlalchemy import Executable

from fastapi_easy.domain.errors import AlreadyExists, Outcome, OutcomeUnknown
from fastapi_easy.domain.ports.webhook_store import ClaimedWebhook, Webhook
from fastapi_easy.domain.webhooks.table import WEBHOOKS
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.journal import ensure_tables
from fastapi_easy.infrastructure.relational.driver.error_classification import classify_error
from fastapi_easy.infrastructure.relational.error_codes import ErrorCause
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS, as_unavailable
from fastapi_easy.infrastructure.relational.transaction import CommitOutcomeUnknown
from fastapi_easy.infrastructure.webhooks import statements
from fastapi_easy.infrastructure.webhooks.stored_values import (
    MICROSECONDS,
    from_stored,
    to_changed,
    to_json,
    to_stored,
)

T = TypeVar("T")

_CLAIM_ATTEMPTS: Final = 8
"""How often another webhook is looked for when other relays were faster."""


class RelationalWebhookStore:
    """Implements `WebhookStore` in a relational database, whose connections it borrows.

    Args:
        database: The database.
    """

    def __init__(self, database: SqlAlchemyDatabase) -> None:
        self._database = database
        self._dialect = database.executor.engine.dialect.name

    async def prepare(self) -> Outcome[tuple[str, ...]]:
        """Create the table if it is missing."""
        return await self._guard(self._ensure_table())

    async def add(self, webhook: Webhook, /) -> Outcome[None]:
        """Store *webhook*."""
        added = await self._write(statements.INSERT, to_stored(webhook))
        return added if isinstance(added, Failure) else Success(None)

    async def find_all(self) -> Outcome[Sequence[Webhook]]:
        """Return every webhook."""
        found = await self._read(statements.FIND_ALL, {})
        return (
            found if isinstance(found, Failure) else Success([from_stored(each) for each in found.unwrap()])
        )

    async def change(self, webhook: Webhook, /) -> Outcome[bool]:
        """Store what an operator may change of *webhook*."""
        given = {f"new_{name}": value for name, value in to_changed(webhook).items()}
        return await self._write(statements.CHANGE, {"webhook": webhook.id, **given})

    async def replace_secrets(
        self, webhook_id: str, before: Sequence[str], after: Sequence[str], /
    ) -> Outcome[bool]:
        """Store the same secrets in another form, unless others are there by now."""
        given = {"webhook": webhook_id, "seen_secrets": to_json(before), "new_secrets": to_json(after)}
        return await self._write(statements.REPLACE_SECRETS, given)

    async def remove(self, webhook_id: str, /) -> Outcome[bool]:
        """Remove a webhook."""
        return await self._write(statements.REMOVE, {"webhook": webhook_id})

    async def claim(self, last_position: int, lease: float, /) -> Outcome[ClaimedWebhook | None]:
        """Claim one webhook that is behind and due; only a read while there is none."""
        for _ in range(_CLAIM_ATTEMPTS):
            found = await self._read(statements.find_due(self._dialect), {"last_position": last_position})
            if isinstance(found, Failure):
                return found
            if not found.unwrap():
                return Success(None)
            row = found.unwrap()[0]
            claim = uuid.uuid4()
            parameters = {
                "webhook": row["id"],
                "seen": row["claimed_at"],
                "seen_position": row["position"],
                "new_claim": claim.hex,
                "lease": int(lease * MICROSECONDS),
            }
            claimed = await self._write(statements.claim(self._dialect), parameters)
            if isinstance(claimed, Failure):
                return claimed
            if claimed.unwrap():
                return Success(ClaimedWebhook(webhook=from_stored(row), claim=claim))
        # Others are at work, and this one looks again soon.
        return Success(None)

    async def advance(self, claim: ClaimedWebhook, position: int, /) -> Outcome[bool]:
        """Note how far the claimed webhook has come."""
        return await self._write(statements.ADVANCE, {**_key_of(claim), "new_position": position})

    async def retry_later(
        self, claim: ClaimedWebhook, delay: float, error: str, *, disable: bool
    ) -> Outcome[bool]:
        """Give *claim* back after a failure."""
        parameters = {**_key_of(claim), "delay": int(delay * MICROSECONDS), "new_error": error}
        return await self._write(statements.retry_later(self._dialect, disable=disable), parameters)

    async def release(self, claim: ClaimedWebhook, /) -> Outcome[None]:
        """Give *claim* back."""
        released = await self._write(statements.RELEASE, _key_of(claim))
        return released if isinstance(released, Failure) else Success(None)

    async def _ensure_table(self) -> tuple[str, ...]:
        # Creates the folder of a temporary SQLite file.
        _ = self._database.begin()
        await ensure_tables(self._database, (WEBHOOKS,))
        return ()

    async def _read(
        self, statement: Executable, parameters: Mapping[str, object]
    ) -> Outcome[Sequence[Mapping[str, Any]]]:
        async def read() -> Sequence[Mapping[str, Any]]:
            _ = await self._ensure_table()
            answer = await self._database.executor.read(statement, parameters)
            return [dict(zip(statements.COLUMN_NAMES, row, strict=True)) for row in answer.rows]

        return await self._guard(read())

    async def _write(self, statement: Executable, parameters: Mapping[str, object]) -> Outcome[bool]:
        """Run *statement* in a transaction of its own; return whether it changed a row."""

        async def write() -> bool:
            _ = await self._ensure_table()
            transaction = self._database.begin(may_autocommit=True)
            try:
                answer = await transaction.execute(statement, parameters, writes=True, last=True)
                await transaction.commit()
            finally:
                await transaction.close()
            return answer.affected > 0

        return await self._guard(write())

    async def _guard(self, call: Awaitable[T]) -> Outcome[T]:
        try:
            return Success(await call)
        except CommitOutcomeUnknown:
            return Failure(OutcomeUnknown(self._database.name))
        except DATABASE_ERRORS as error:
            classified = classify_error(error)
            if classified is not None and classified.cause is ErrorCause.UNIQUE:
                return Failure(AlreadyExists(WEBHOOKS.name, ("id",)))
            unavailable = as_unavailable(error, self._database.name)
            if unavailable is None:
                raise
            return Failure(unavailable)


def _key_of(claim: ClaimedWebhook) -> dict[str, object]:
    return {"webhook": claim.webhook.id, "held": claim.claim.hex}
