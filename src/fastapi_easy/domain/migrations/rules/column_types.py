"""Column types, read from the texts in which servers spell them."""

import re
from dataclasses import dataclass
from typing import Final

_TEXT: Final = {
    **dict.fromkeys(("varchar", "character varying", "nvarchar", "varchar2", "national varchar"), None),
    **dict.fromkeys(("text", "clob", "string"), None),
    "tinytext": 255,
    "mediumtext": 2**24 - 1,
    "longtext": None,
}
_CHAR: Final = frozenset({"char", "character", "nchar", "bpchar"})
_BINARY: Final = {
    **dict.fromkeys(("bytea", "blob", "longblob", "varbinary", "binary"), None),
    "tinyblob": 255,
    "mediumblob": 2**24 - 1,
}
_INTEGER: Final = {
    "tinyint": 8,
    **dict.fromkeys(("smallint", "int2", "smallserial", "serial2"), 16),
    "mediumint": 24,
    **dict.fromkeys(("int", "integer", "int4", "serial", "serial4"), 32),
    **dict.fromkeys(("bigint", "int8", "bigserial", "serial8"), 64),
}
_DECIMAL: Final = frozenset({"numeric", "decimal", "dec", "number"})
_SINGLE: Final = 24
"""Bits of the significand of a float of single precision."""

_FLOAT: Final = {
    "real": _SINGLE,
    "float4": _SINGLE,
    "double precision": 53,
    "double": 53,
    "float8": 53,
    "float": 53,
}
_TRAILING: Final = (" zerofill", " auto_increment", " unsigned", " with time zone", " without time zone")
_MOMENT: Final = frozenset({"timestamp", "timestamptz", "datetime"})
_OTHER: Final = {
    **dict.fromkeys(("boolean", "bool"), "boolean"),
    **dict.fromkeys(("date", "interval", "json", "jsonb", "uuid", "enum", "set", "year"), ""),
    **dict.fromkeys(
        ("citext", "inet", "cidr", "macaddr", "xml", "tsvector", "money", "oid", "bit", "bit varying"), ""
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredType:
    """A column type as the rules tell types apart.

    Attributes:
        family: `text`, `char`, `binary`, `integer`, `decimal`, `float`, `moment`, `time`, or the type's own name; of
            one that is not known, its whole text.

        is_known: Whether the rules know the family.

        limit: Of a text or binary, how long it may be; `None` for any length. Of a moment or time, the digits of its
            seconds; `None` for all that there are.

        bits: Of an integer or float.

        precision, scale: Of a decimal; `None` for any.

        is_unsigned: Whether an integer has no sign.

        has_zone: Whether a moment or time has a time zone.

        labels: Of an enumeration that is spelled with them.

        is_array: Whether it is an array of the type.

        is_apart: Whether MySQL stores the text apart from the row, as it does `TEXT`.
    """

    family: str
    is_known: bool = True
    limit: int | None = None
    bits: int = 0
    precision: int | None = None
    scale: int | None = None
    is_unsigned: bool = False
    has_zone: bool = False
    labels: tuple[str, ...] = ()
    is_array: bool = False
    is_apart: bool = False


def read_type(text: str, dialect: str) -> StoredType:
    """Return the type that *text* spells on *dialect*."""
    plain = " ".join(text.split()).lower()
    head, _, tail = plain.partition("(")
    # Labels keep their case.
    arguments = " ".join(text.split())[len(head) + 1 :].rpartition(")")[0]
    name, is_array, words = _name_and_words(head, tail.rpartition(")")[2])
    numbers = [] if "'" in arguments else [int(each) for each in re.findall(r"\d+", arguments)]
    read = _scalar(name, arguments, numbers, words, dialect)
    if read is None:
        return StoredType(family=plain, is_known=False)
    return _as_array(read) if is_array else read


def _name_and_words(head: str, rest: str) -> tuple[str, bool, frozenset[str]]:
    is_array = "[]" in head or "[]" in rest.replace(" ", "")
    name, words = head.replace("[]", "").strip(), frozenset(rest.replace("[]", " ").split())
    for trailing in _TRAILING:
        if name.endswith(trailing):
            name, words = name.removesuffix(trailing), words | frozenset(trailing.split())
    return name, is_array, words


def _scalar(
    name: str, arguments: str, numbers: list[int], words: frozenset[str], dialect: str
) -> StoredType | None:
    first = numbers[0] if numbers else None
    if name in _TEXT:
        longest = 65_535 if name == "text" and dialect == "mysql" else _TEXT[name]
        is_apart = dialect == "mysql" and name.endswith("text")
        return StoredType(family="text", limit=first or longest, is_apart=is_apart)
    if name in _CHAR:
        return StoredType(family="char", limit=first or 1)
    if name in _BINARY:
        longest = 65_535 if name == "blob" and dialect == "mysql" else _BINARY[name]
        return StoredType(family="binary", limit=first or longest)
    return (
        _number(name, numbers, words, dialect)
        or _temporal(name, first, words, dialect)
        or _named(name, arguments)
    )


def _number(name: str, numbers: list[int], words: frozenset[str], dialect: str) -> StoredType | None:
    first = numbers[0] if numbers else None
    if name == "tinyint" and first == 1:
        return StoredType(family="boolean")
    if name in _INTEGER:
        bits = 64 if dialect == "sqlite" else _INTEGER[name]
        return StoredType(family="integer", bits=bits, is_unsigned="unsigned" in words)
    if name in _DECIMAL:
        if first is None:
            return _default_decimal(dialect)
        return StoredType(family="decimal", precision=first, scale=numbers[1] if len(numbers) > 1 else 0)
    return StoredType(family="float", bits=_float_bits(name, first, dialect)) if name in _FLOAT else None


def _default_decimal(dialect: str) -> StoredType:
    return (
        StoredType(family="decimal", precision=10, scale=0)
        if dialect == "mysql"
        else StoredType(family="decimal")
    )


def _float_bits(name: str, digits: int | None, dialect: str) -> int:
    if dialect == "sqlite":
        return 53
    if name == "float" and (dialect == "mysql" or digits is not None):
        return _SINGLE if digits is None or digits <= _SINGLE else 53
    return 53 if name == "real" and dialect == "mysql" else _FLOAT[name]


def _temporal(name: str, digits: int | None, words: frozenset[str], dialect: str) -> StoredType | None:
    everything = 0 if dialect == "mysql" else None
    if name in _MOMENT:
        zoned = name == "timestamptz" or {"with", "zone"} <= words
        family = "moment" if dialect != "mysql" else name
        return StoredType(family=family, limit=everything if digits is None else digits, has_zone=zoned)
    if name in {"time", "timetz"}:
        zoned = name == "timetz" or {"with", "zone"} <= words
        return StoredType(family="time", limit=everything if digits is None else digits, has_zone=zoned)
    return None


def _named(name: str, arguments: str) -> StoredType | None:
    if name not in _OTHER:
        return None
    labels = tuple(each.replace("''", "'") for each in re.findall(r"'((?:[^']|'')*)'", arguments))
    return StoredType(family=_OTHER[name] or name, labels=labels)


def _as_array(element: StoredType) -> StoredType:
    return StoredType(
        family=f"{element.family}[]",
        limit=element.limit,
        bits=element.bits,
        precision=element.precision,
        scale=element.scale,
        is_array=True,
    )
