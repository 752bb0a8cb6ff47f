"""The option objects of a declaration: what a resource offers, which fields, which queries."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final


class Operation(enum.StrEnum):
    """A built-in use case of a resource."""

    CREATE = "create"
    GET = "get"
    LIST = "list"
    COUNT = "count"
    REPLACE = "replace"
    UPDATE = "update"
    DELETE = "delete"
    RESTORE = "restore"
    PURGE = "purge"
    UPSERT = "upsert"
    BULK = "bulk"
    AGGREGATE = "aggregate"
    EXPORT = "export"
    IMPORT = "import"


EVERY_OPERATION: Final = tuple(operation for operation in Operation if operation is not Operation.PURGE)
"""What a resource offers unless it says otherwise. RESTORE needs `soft_delete`, UPSERT needs `upsert`, and without
them they are not there; what PURGE takes cannot be brought back, so it is offered only where it is named."""

RESTORE_IMPORT: Final = "restore_import"
"""What a policy is asked for each imported line that sets fields which `create` does not take: a generated key, a
version, a read-only field. No operation of its own: it is a way of IMPORT."""

READ_ONLY: Final = (Operation.GET, Operation.LIST, Operation.COUNT, Operation.AGGREGATE, Operation.EXPORT)


class Reading(enum.StrEnum):
    """What is answered where a stored value is one that the kind of its field cannot hold (`UnexpectedValue`)."""

    LENIENT = "lenient"
    """The value, as it is stored."""

    STRICT = "strict"
    """A problem that names the entity and the field, beside the entities of a page that can be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """The fields that callers may read and write. `None` means all that are not hidden or generated.

    Attributes:
        read: The fields of answers; only these can be filtered and sorted by.

        write: The fields of create, replace and update.

        hidden: Stored, but neither read nor written by callers.

        create_only: Written by create, fixed from then on.

        restore: Of the fields that `write` leaves out, those that an import may restore where no policy decides.
            Generated fields need not be named.
    """

    read: Sequence[str] | None = None
    write: Sequence[str] | None = None
    hidden: Sequence[str] = ()
    create_only: Sequence[str] = ()
    restore: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Schemas:
    """pydantic models of the user's own in place of the derived ones. Their field names are the resource's.

    Attributes:
        create: For the body of create and replace.

        update: For the body of update; fields left out must stay unset.

        read: For answers.
    """

    create: type[Any] | None = None
    update: type[Any] | None = None
    read: type[Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryRules:
    """The rules for the lists that callers ask for. `None` means every readable field.

    Attributes:
        filter: The fields that can be filtered by.

        sort: The fields that can be sorted by.

        search: The text fields that `q` looks into; without any there is no `q`.

        order: The order when the caller names none, in the grammar of `sort`: `("-created_at",)`.

        limit: Entities on a page unless the caller says otherwise.

        max_limit: Entities on a page at most.
    """

    filter: Sequence[str] | None = None
    sort: Sequence[str] | None = None
    search: Sequence[str] = ()
    order: Sequence[str] = ()
    limit: int = 20
    max_limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Optimistic concurrency: how changes of the same entity by several callers are kept apart.

    Attributes:
        field: A whole-number field that the store raises by one with every change, starting at 1. Without one a
            version is a fingerprint of the readable fields.

        required: A replace, update or delete that does not say which version it is based on is refused.
    """

    field: str | None = None
    required: bool = False
