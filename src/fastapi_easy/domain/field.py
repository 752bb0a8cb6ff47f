"""One field of an entity: its kind, what it may hold and who fills it."""

import datetime
import decimal
import enum
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

UNSET: Final = type("Unset", (), {"__repr__": lambda _: "UNSET", "__bool__": lambda _: False})()
"""No value was given, which differs from `None`."""

STORE_DEFAULT: Final = type("StoreDefault", (), {"__repr__": lambda _: "STORE_DEFAULT"})()
"""In a patch: the field gets what the store gives it when a replace leaves it out."""


class Kind(enum.StrEnum):
    """The kind of the values of a field, whatever the store calls its type."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    DURATION = "duration"
    UUID = "uuid"
    BINARY = "binary"
    ENUM = "enum"
    JSON = "json"
    ARRAY = "array"


class Comparison(enum.IntEnum):
    """How far a store can compare the values of a field as the values themselves compare."""

    NONE = 0
    """Not at all: what is stored differs each time, or only the store can read it."""

    EQUALITY = 1
    """Equal or not."""

    ORDER = 2
    """Also by size."""

    FULL = 3
    """As any field of its kind: sums, parts of texts."""


class DocumentRule(Protocol):
    """Says what the documents of a JSON field are."""

    def fits(self, document: object) -> bool:
        """Return whether *document*, plain JSON as it is stored, is one of them."""
        ...

    def to_python(self, document: object) -> object:
        """Return *document* with instances of the classes that it is made of, or as it is if it does not fit."""
        ...

    def to_json(self, value: object) -> object:
        """Return the plain JSON of *value*, which a program made."""
        ...


def _python_type(kind: Kind) -> type | None:  # noqa: C901, PLR0911, PLR0912 (a line for each kind)
    # A match, as below, and not a literal mapping: a type checker names a kind that is missing.
    match kind:
        case Kind.TEXT:
            return str
        case Kind.INTEGER:
            return int
        case Kind.DECIMAL:
            return decimal.Decimal
        case Kind.FLOAT:
            return float
        case Kind.BOOLEAN:
            return bool
        case Kind.DATE:
            return datetime.date
        case Kind.TIME:
            return datetime.time
        case Kind.DATETIME:
            return datetime.datetime
        case Kind.DURATION:
            return datetime.timedelta
        case Kind.UUID:
            return uuid.UUID
        case Kind.BINARY:
            return bytes
        case Kind.ENUM:
            return None
        case Kind.JSON:
            return object
        case Kind.ARRAY:
            return list


def _is_ordered(kind: Kind) -> bool:
    match kind:
        case Kind.TEXT | Kind.UUID | Kind.INTEGER | Kind.DECIMAL | Kind.FLOAT:
            return True
        case Kind.DATE | Kind.TIME | Kind.DATETIME | Kind.DURATION:
            return True
        case Kind.BOOLEAN | Kind.BINARY | Kind.ENUM | Kind.JSON | Kind.ARRAY:
            return False


PYTHON_TYPES: Final[Mapping[Kind, type]] = {
    kind: python_type for kind in Kind if (python_type := _python_type(kind)) is not None
}
"""The Python type of each kind; an enumeration brings its own."""

ORDERED_KINDS: Final = frozenset(kind for kind in Kind if _is_ordered(kind))
"""Kinds whose values have one order on every store, so that they can be sorted by and walked along."""


def is_ordered(field: "Field") -> bool:
    """Return whether the values of *field* have an order by which its store can sort them."""
    return field.kind in ORDERED_KINDS and field.comparison >= Comparison.ORDER


def is_sortable(field: "Field") -> bool:
    """Return whether callers can sort by *field*: by what is ordered, false before true, and enumerations by place."""
    has_places = field.kind in {Kind.BOOLEAN, Kind.ENUM}
    return is_ordered(field) or (has_places and field.comparison >= Comparison.ORDER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of an entity, as read from the user's class by an adapter's `mapping`.

    Attributes:
        name: Unique within the entity; what programs call it.

        kind: What its values are.

        nullable: `None` is allowed.

        generated: The store fills it (an autoincrement key, a computed column); never written by callers.

        computed: The store derives it from other fields, and takes no value for it: an import leaves it out.

        default: The value used when a caller leaves the field out; `UNSET` when there is none.

        default_factory: Makes that value anew for each entity, without arguments.

        store_default: The store has a default of its own that cannot be read as a Python value.

        update_default: Each change that leaves the field out sets it anew: `onupdate` of SQLAlchemy's, or the store.

        filled_by_rule: A rule of the class may make the value, so that a caller need not give one.

        unique: No two entities hold the same value. Nulls are not compared.

        enumeration: The members, for kind ENUM.

        item: The kind of the items, for kind ARRAY.

        item_rules: Further validation of each item of an ARRAY, like `rules`.

        min_length, max_length: Characters, for TEXT; bytes, for BINARY; items, for ARRAY.

        stored_length: Characters that the column holds, for TEXT, whatever the class allows; `None` without a bound.

        minimum, maximum: Inclusive bounds, for INTEGER, from the width of the column.

        precision, scale: All digits and digits after the point, for DECIMAL.

        significant_digits: Digits of a value between the zeros at both ends that the store keeps, for DECIMAL; `None`
            where it keeps all that are declared.

        document: What the documents are, for kind JSON, and metadata of `typing.Annotated`; `None` for anything.

        rules: Further validation, in the vocabulary of `typing.Annotated` metadata; read by the doors only.

        other_values: A regular expression of the texts that stand for values which the store holds and compares though
            the kind cannot hold them, like `-?infinity` for a date; queries and keys may name them (`UnexpectedValue`).

        other_types: A regular expression, where the store may hold what cannot be read as a value of the kind, of the
            texts that spell such a value and may be shown of another one as well. A text that spells none is looked
            for among the others in any case. `None` where the store checks types.

        check: Raises `ParseError` for a value of the kind that the store does not take, where a column type of the
            user's decides that. Asked for values in bodies, queries and keys.

        comparison: How far the store can compare the values.

        description: One sentence for the documentation.

        alias: What callers call it in JSON, CSV and queries; `None` when by its name.

        by_name: Bodies may call it by its name as well.
    """

    name: str
    kind: Kind
    nullable: bool = False
    generated: bool = False
    computed: bool = False
    default: Any = UNSET
    default_factory: Callable[[], Any] | None = None
    store_default: bool = False
    update_default: bool = False
    filled_by_rule: bool = False
    unique: bool = False
    enumeration: type[enum.Enum] | None = None
    item: Kind | None = None
    item_rules: tuple[Any, ...] = ()
    min_length: int | None = None
    max_length: int | None = None
    stored_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    precision: int | None = None
    scale: int | None = None
    significant_digits: int | None = None
    document: DocumentRule | None = None
    rules: tuple[Any, ...] = ()
    other_values: str | None = None
    other_types: str | None = None
    check: Callable[[Any], None] | None = None
    comparison: Comparison = Comparison.FULL
    description: str | None = None
    alias: str | None = None
    by_name: bool = False

    @property
    def python_type(self) -> type:
        """The type of its values, leaving `None` aside."""
        return self.enumeration if self.enumeration is not None else PYTHON_TYPES[self.kind]

    @property
    def required(self) -> bool:
        """Whether a caller who creates an entity has to give a value."""
        return not (
            self.nullable
            or self.generated
            or self.store_default
            or self.filled_by_rule
            or self.default is not UNSET
            or self.default_factory is not None
        )
