"""The option objects of a declaration: what a resource offers, which fields, which queries."""

import dataclasses
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

_DAY: Final = 86_400


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
    CHANGES = "changes"
    HISTORY = "history"


EVERY_OPERATION: Final = tuple(operation for operation in Operation if operation is not Operation.PURGE)
"""What a resource offers unless it says otherwise. RESTORE needs `soft_delete`, UPSERT needs `upsert`, CHANGES needs
`events`, HISTORY needs `audit`, and without them they are not there; what PURGE takes cannot be brought back, so it is
offered only where it is named."""

RESTORE_IMPORT: Final = "restore_import"
"""What a policy is asked for each imported line that sets fields which `create` does not take: a generated key, a
version, a read-only field. No operation of its own: it is a way of IMPORT."""

READ_ONLY: Final = (
    *(Operation.GET, Operation.LIST, Operation.COUNT),
    *(Operation.AGGREGATE, Operation.EXPORT, Operation.CHANGES),
)
"""What shows entities as they are. HISTORY, which tells what they were and who did what, is not among them: whoever
grants reading does not grant that beside it."""


class KeySource(enum.StrEnum):
    """Where the key of a new entity comes from. Unless declared, the class says so."""

    CLIENT = "client"
    """Callers give it."""

    STORE = "store"
    """The store makes it, by a counter, a default or a trigger; callers never give it."""

    UUID7 = "uuid7"
    """The program makes a UUID of version 7, which grows with time, where callers give none."""


class Reading(enum.StrEnum):
    """What is answered where a stored value is one that the kind of its field cannot hold (`UnexpectedValue`)."""

    LENIENT = "lenient"
    """The value, as it is stored."""

    STRICT = "strict"
    """A problem that names the entity and the field, beside the entities of a page that can be read."""


class IdempotencyKeys(enum.StrEnum):
    """Whether creates, bulks and actions, which are not idempotent by themselves, need an idempotency key."""

    OPTIONAL = "optional"
    """They may come without one; a retry then makes the change again."""

    REQUIRED = "required"
    """Without one they are refused."""


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

        secret: Encrypted at rest. Read and written like other fields, but neither compared, sorted by nor searched.

        lookup: Of *secret*, those whose values can be compared for equality, by a keyed hash that is stored in the
            field of the same name with `_lookup` behind it, which is hidden from every caller.

        password: Written by callers, stored as a hash, and never read.

        readable: Those that are called like a secret, `token` or `api_key`, and that callers may read all the same.
            Without it such a field is refused at start, unless *read* or one of the others names it.
    """

    read: Sequence[str] | None = None
    write: Sequence[str] | None = None
    hidden: Sequence[str] = ()
    create_only: Sequence[str] = ()
    restore: Sequence[str] = ()
    secret: Sequence[str] = ()
    lookup: Sequence[str] = ()
    password: Sequence[str] = ()
    readable: Sequence[str] = ()


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


@dataclass(frozen=True, slots=True, init=False)
class FullText:
    """`q` searches text fields for whole words by an index that the stored schema has for it.

    Attributes:
        fields: The names of the text fields.

        language: The text search configuration by which PostgreSQL compares words, such as `english`, so that "cats"
            finds "cat". `None` for words as they are written, which is how the other stores always compare them.
    """

    fields: tuple[str, ...]
    language: str | None

    def __init__(self, *fields: str, language: str | None = None) -> None:
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "language", language)


@dataclass(frozen=True, slots=True)
class JsonPath:
    """What callers find at a place inside of a JSON field.

    Attributes:
        kind: The type of the values that count: `str`, `int`, `float` or `bool`, or its name.

        indexed: The schema has an index for it.
    """

    kind: type[Any] | str
    indexed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryRules:
    """The rules for the lists that callers ask for. `None` means every readable field.

    Attributes:
        filter: The fields that can be filtered by.

        sort: The fields that can be sorted by.

        search: The text fields that `q` looks into; without any there is no `q`. As a `FullText` it looks for whole
            words, by an index.

        order: The order when the caller names none, in the grammar of `sort`: `("-created_at",)`.

        limit: Entities on a page unless the caller says otherwise.

        max_limit: Entities on a page at most.

        json_paths: The places inside of JSON fields that can be filtered and sorted by, each with the type of its
            values: `{"attributes.colour": str, "attributes.size": JsonPath(int, indexed=True)}`.

        document: Which comparisons the OpenAPI document spells out as parameters: `common` for those of the resource's
            own fields that people use, `all` for every one, also along relations. Callers may use all in any case.
    """

    filter: Sequence[str] | None = None
    sort: Sequence[str] | None = None
    search: Sequence[str] | FullText = ()
    order: Sequence[str] = ()
    json_paths: Mapping[str, JsonPath | type[Any] | str] = dataclasses.field(default_factory=dict)
    limit: int = 20
    max_limit: int = 100
    document: Literal["common", "all"] = "common"

    @property
    def searched(self) -> Sequence[str]:
        """The names that *search* lists."""
        return self.search.fields if isinstance(self.search, FullText) else self.search

    @property
    def full_text(self) -> FullText | None:
        """How `q` looks for words; `None` when it looks for parts of texts."""
        return self.search if isinstance(self.search, FullText) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """Answers of `get`, `list`, `count` and `aggregate` are kept, and given again while what they say is true.

    A change that is committed through the kernel, by whatever process, ends them at once. What other programs change
    with statements of their own is seen when an answer is made anew.

    Attributes:
        seconds: How long an answer is kept at most, more or less a tenth.
    """

    seconds: float = 60.0

    @property
    def mistake(self) -> str | None:
        """What is wrong with it, a sentence with the way to mend it; `None` when nothing is."""
        if 0 < self.seconds <= _DAY:
            return None
        return f"cache.seconds is {self.seconds}: name more than 0, and {_DAY} (a day) at most"


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
