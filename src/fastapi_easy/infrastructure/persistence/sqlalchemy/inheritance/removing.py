"""Removing entities of which some go on in tables of derived classes."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.errors import Key, TooLarge
from fastapi_easy.domain.queries.specification import Specification
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements import build as statements
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan import Plan
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.specification import (
    name_parameters,
    parameterize,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.write_rejected import WriteRejected, left_out
from fastapi_easy.infrastructure.persistence.sqlalchemy.writing import CHUNK, Writer
from fastapi_easy.infrastructure.relational.driver.error_classification import (
    classify_error,
    unavailable_reason_of,
)
from fastapi_easy.infrastructure.relational.error_codes import ErrorCause
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS


class TopWriter(Writer):
    """Writes rows of which some go on in tables of derived classes, and are removed from these as well."""

    async def remove(self, key: Key, expected_version: str | None, scope: Specification) -> None:
        """Delete the row with *key* from every table, if it is one of *scope*."""
        plan, target = self._plan, self._target_row(key, scope)
        async with self._transaction.atomic():
            row = await self._lock_version(target, expected_version)
            variant = plan.resource.variant
            kind = None if variant is None else row.get(variant.field)
            await self._remove_keys([plan.resource.key_of(row)], None if variant is None else {kind})

    async def remove_where(self, specification: Specification, max_affected: int) -> int:
        """Delete every row that *specification* means from every table."""
        async with self._transaction.atomic():
            keys = await self._lock_keys(specification, max_affected)
            for part in in_chunks(keys):
                await self._remove_keys(part, None)
        return len(keys)

    async def _lock_keys(self, specification: Specification, max_affected: int) -> list[Key]:
        """Lock the rows that *specification* means, and return their keys."""
        form, values = parameterize(specification, self._plan.terms)
        answer = await self._transaction.execute(
            statements.keys_of(self._plan, form), {**name_parameters(values), "fe_limit": max_affected + 1}
        )
        if len(answer.rows) > max_affected:
            raise WriteRejected(TooLarge("affected", max_affected, "entities"))
        is_single = len(self._plan.resource.key) == 1
        return [record[0] if is_single else tuple(record) for record in answer.rows]

    async def _remove_keys(self, keys: Sequence[Key], kinds: set[Any] | None) -> None:
        """Delete the rows with *keys*, which are there and locked; the tables last that others refer to.

        Args:
            keys: A chunk of keys.

            kinds: Of which classes the rows are, where that is known.
        """
        plan, parameters = self._plan, {"fe_keys": padded(keys)}
        known = set() if plan.resource.variant is None else set(plan.resource.variant.known)
        with refusals_of(plan.parts[0], (), removing=True):
            for derived in plan.derived_tables:
                if kinds is None or not kinds <= known or not kinds.isdisjoint(derived.kinds):
                    _ = await self._transaction.execute(
                        statements.remove_derived(plan, derived), parameters, writes=True
                    )
        for part in reversed(plan.parts):
            with refusals_of(part, (), removing=True):
                answer = await self._transaction.execute(
                    statements.remove_keys(part), parameters, writes=True
                )
            if answer.affected != len(keys):
                raise left_out(plan.resource)


def in_chunks(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    """Yield *keys* in chunks, each for one statement."""
    return (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))


def padded(keys: Sequence[Key]) -> list[Key]:
    """Repeat the last of *keys* up to a power of two: each length is a statement that the server keeps."""
    length = 1 << (len(keys) - 1).bit_length()
    return [*keys, *([keys[-1]] * (length - len(keys)))]


@contextlib.contextmanager
def refusals_of(part: Plan, written: Sequence[Values], *, removing: bool = False) -> Iterator[None]:
    """Tell the refusal of a statement about the table of *part* by the constraints of that table."""
    try:
        yield
    except DATABASE_ERRORS as error:
        classified = classify_error(error)
        is_refusal = classified is not None and classified.cause is not ErrorCause.STALE_STATEMENT
        if classified is None or not is_refusal or unavailable_reason_of(error) is not None:
            raise
        (constraints,) = part.constraints
        raise WriteRejected(constraints.error_for(classified, written, removing=removing)) from error
