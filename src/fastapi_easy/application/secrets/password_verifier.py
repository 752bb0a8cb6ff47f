"""Verify passwords, and hash them anew when parameters have changed."""

from collections.abc import Callable, Mapping
from typing import Any

from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import DeclarationError, Outcome
from fastapi_easy.domain.field import Field
from fastapi_easy.domain.ports.password_hasher import PasswordHasher
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Operator, Where, all_of
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.formats import FORMATS
from fastapi_easy.domain.values.kind_format import ParseError
from fastapi_easy.domain.values.passwords import check_password


class PasswordVerifier:
    """Verifies passwords of the entities of *resource*, for whoever is not known as a caller yet: no policy is asked.

    Args:
        resource: The resource.

        repository: Returns its repository.

        hasher: Returns what verifies hashes.
    """

    def __init__(
        self,
        resource: Resource[Any],
        repository: Callable[[], Repository[Any]],
        hasher: Callable[[], PasswordHasher],
    ) -> None:
        self._resource = resource
        self._repository = repository
        self._hasher = hasher

    async def verify(
        self, by: Mapping[str, object], password: str, field: str | None = None
    ) -> Outcome[Row | None]:
        """Return the entity whose password it is.

        Args:
            by: The key, or the values of unique fields.

            password: What the caller gave.

            field: The password field; may be left out when there is only one.

        Returns:
            Its readable fields; `None` when there is no such entity, it has no password, or another one. That takes the
            same work in each case.

        Fails with:
            Unavailable: The store did not answer.

        Raises:
            DeclarationError: The resource has no password field *field*, or *by* could mean several entities.
        """
        resource, hasher = self._resource, self._hasher()
        name = self._field(field)
        self._check_is_unique(by)
        found = await self._find(by)
        if isinstance(found, Failure):
            return found
        row = found.unwrap()
        stored = None if row is None else row[name]
        try:
            check_password(password)
        except ParseError:
            return Success(None)
        matches = await hasher.verify(stored, password)
        if row is None or stored is None or not matches:
            return Success(None)
        if hasher.needs_rehash(stored):
            # At the version that was verified: a password that was changed meanwhile stays. If it cannot be written,
            # the next log-in does it.
            _ = await self._repository().update(
                resource.key_of(row), Patch({name: password}), expected_version=resource.version_of(row)
            )
        return Success(resource.visible_row(row))

    async def _find(self, by: Mapping[str, object]) -> Outcome[Row | None]:
        try:
            values = {name: _read(self._resource.fields[name], value) for name, value in by.items()}
        except ParseError:
            # What no field can hold is nobody's.
            return Success(None)
        same = all_of(*(Where(name, Operator.EQUALS, value) for name, value in values.items()))
        found = await self._repository().select(Query(specification=same, page=PageRequest(limit=1)))
        return found if isinstance(found, Failure) else Success(next(iter(found.unwrap().items), None))

    def _field(self, field: str | None) -> str:
        known = () if self._resource.secrets is None else self._resource.secrets.passwords
        if field in known:
            return str(field)
        if field is None and len(known) == 1:
            return known[0]
        names = ", ".join(known) or "none"
        raise DeclarationError(
            [f"{self._resource.name}: {field or 'no field'} is given as password field; there are {names}"]
        )

    def _check_is_unique(self, by: Mapping[str, object]) -> None:
        resource = self._resource
        single = ((name,) for name, field in resource.fields.items() if field.unique)
        if any(set(rule) <= by.keys() for rule in (resource.key, *resource.unique, *single)) and (
            by.keys() <= resource.fields.keys()
        ):
            return
        raise DeclarationError(
            [
                (
                    f"{resource.name}: {', '.join(by) or 'nothing'} could mean several entities: give the key, or "
                    "unique fields"
                )
            ]
        )


def _read(field: Field, value: object) -> object:
    return FORMATS[field.kind].read_json(field, value)
