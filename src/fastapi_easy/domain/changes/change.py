"""Changes that are about to be made, and how a handler refuses one."""

from dataclasses import dataclass
from typing import Any

from fastapi_easy.domain.errors import Error, Key
from fastapi_easy.domain.principal import Principal, Tenant


@dataclass(slots=True, kw_only=True)
class BeforeChange:
    """A write that has not been made yet. Its handlers run inside the unit of work, one after the other.

    Attributes:
        resource: The name of the resource.

        principal: Who asks.

        tenant: The partition that the call works in.

        correlation_id: Ties together everything that one call causes.

        work: The `UnitOfWork` of the write. What a handler writes through it becomes durable together with the
            write, or not at all.
    """

    resource: str
    principal: Principal
    tenant: Tenant | None
    correlation_id: str
    work: Any


@dataclass(slots=True, kw_only=True)
class BeforeCreate(BeforeChange):
    """An entity is about to be stored for the first time.

    Attributes:
        values: What it is to hold; a handler may change them.
    """

    values: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class BeforeUpdate(BeforeChange):
    """An entity is about to be changed.

    Attributes:
        key: Which entity.

        values: The fields to set; a handler may change them. Of a replace, `STORE_DEFAULT` stands for what the store
            will give to a field that was left out.
    """

    key: Key
    values: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class BeforeDelete(BeforeChange):
    """An entity is about to be removed, or marked as deleted.

    Attributes:
        key: Which entity.
    """

    key: Key


@dataclass(slots=True, kw_only=True)
class BeforeRestore(BeforeChange):
    """A deleted entity is about to be brought back.

    Attributes:
        key: Which entity.
    """

    key: Key


@dataclass(slots=True, kw_only=True)
class BeforePurge(BeforeChange):
    """A deleted entity is about to be removed for good.

    Attributes:
        key: Which entity.
    """

    key: Key


class Veto(Exception):
    """The refusal of a `BeforeChange`, raised by its handler; the write fails with *error*.

    Args:
        error: What the caller is told, for instance `CheckFailed("books", ("price",), reason="Too cheap.")`.
    """

    def __init__(self, error: Error) -> None:
        self.error = error
        super().__init__(error.code)
