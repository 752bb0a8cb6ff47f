"""What only the text of a `CREATE TABLE` of SQLite tells: checks, expressions, collations and names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import CheckShape
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.sql_tokens import (
    Token,
    closing,
    source,
    split,
    tokenize,
)

_TABLE_CONSTRAINTS: Final = frozenset({"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteDefinition:
    """What the text of a definition tells beside the pragmas.

    Attributes:
        checks: In their order.

        computed: The expressions of computed columns, by name.

        collations: Those that are named, by column.

        names: The names of constraints, by what they are (`key`, `unique`, `reference`) and their columns.

        reference_options: Whether a foreign key is deferrable, by its columns.

        autoincrement: Keys of deleted rows are not used again.
    """

    checks: tuple[CheckShape, ...]
    computed: Mapping[str, str]
    collations: Mapping[str, str]
    names: Mapping[tuple[str, tuple[str, ...]], str]
    reference_options: Mapping[tuple[str, ...], tuple[str, ...]]
    autoincrement: bool


def read_definition(text: str) -> SqliteDefinition:
    """Read *text*, a `CREATE TABLE` as `sqlite_master` keeps it."""
    tokens = tokenize(text)
    opening = next((place for place, token in enumerate(tokens) if token.text == "("), None)
    reader = _Reader(text)
    if opening is not None:
        for part in split(tokens[opening + 1 : closing(tokens, opening)]):
            reader.read(part)
    return SqliteDefinition(
        checks=tuple(reader.checks),
        computed=reader.computed,
        collations=reader.collations,
        names=reader.names,
        reference_options=reader.reference_options,
        autoincrement=any(token.word == "AUTOINCREMENT" for token in tokens),
    )


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self.checks: list[CheckShape] = []
        self.computed: dict[str, str] = {}
        self.collations: dict[str, str] = {}
        self.names: dict[tuple[str, tuple[str, ...]], str] = {}
        self.reference_options: dict[tuple[str, ...], tuple[str, ...]] = {}

    def read(self, tokens: Sequence[Token]) -> None:
        if tokens[0].word in _TABLE_CONSTRAINTS:
            self._constraints(tokens, None)
        else:
            # A name may be one of those words, but then it is quoted.
            self._constraints(
                tokens[1:], tokens[0].name if tokens[0].kind != "string" else tokens[0].text[1:-1]
            )

    def _constraints(  # noqa: C901 - one case per clause
        self, tokens: Sequence[Token], column: str | None
    ) -> None:
        name: str | None = None
        at = 0
        while at < len(tokens):
            match tokens[at].word:
                case "CONSTRAINT":
                    name = tokens[at + 1].name
                    at += 1
                case "CHECK":
                    end = closing(tokens, at + 1)
                    self.checks.append(
                        CheckShape(
                            name=name, expression=source(self._text, tokens[at + 2 : end]), column=column
                        )
                    )
                    name, at = None, end
                case "COLLATE" if column is not None:
                    self.collations[column] = tokens[at + 1].name
                    at += 1
                case "AS" if column is not None:
                    end = closing(tokens, at + 1)
                    self.computed[column] = source(self._text, tokens[at + 2 : end])
                    at = end
                case "UNIQUE" | "PRIMARY":
                    what = "unique" if tokens[at].word == "UNIQUE" else "key"
                    columns, at = self._columns(tokens, at, column)
                    if name is not None:
                        self.names[what, columns] = name
                    name = None
                case "FOREIGN":
                    columns, at = self._columns(tokens, at, None)
                    self._reference(tokens, at, columns, name)
                    at = len(tokens)
                case "REFERENCES" if column is not None:
                    self._reference(tokens, at, (column,), name)
                    name = None
                case "DEFAULT" if at + 1 < len(tokens) and tokens[at + 1].text == "(":
                    at = closing(tokens, at + 1)
                case _:
                    pass
            at += 1

    def _columns(self, tokens: Sequence[Token], at: int, column: str | None) -> tuple[tuple[str, ...], int]:
        if column is not None:
            return (column,), at
        opening = next(place for place in range(at, len(tokens)) if tokens[place].text == "(")
        end = closing(tokens, opening)
        return tuple(part[0].name for part in split(tokens[opening + 1 : end])), end

    def _reference(
        self, tokens: Sequence[Token], at: int, columns: tuple[str, ...], name: str | None
    ) -> None:
        if name is not None:
            self.names["reference", columns] = name
        words = [token.word for token in tokens[at:]]
        options = []
        for place, word in enumerate(words):
            if word == "DEFERRABLE" and words[place - 1] != "NOT":
                options.append("deferrable")
                if words[place + 1 : place + 3] == ["INITIALLY", "DEFERRED"]:
                    options.append("initially deferred")
        if options:
            self.reference_options[columns] = tuple(options)
