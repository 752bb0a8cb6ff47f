"""What MySQL and MariaDB say of tables: `SHOW CREATE TABLE`, the one answer that has everything."""

import re
from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import (
    CheckShape,
    ColumnShape,
    IndexShape,
    KeyShape,
    ReferenceShape,
    SchemaShape,
    TableShape,
)
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.sql_tokens import (
    Token,
    closing,
    source,
    split,
    string_value,
    tokenize,
    unquote,
    unwrap_versioned,
)

_TABLES: Final = """
SELECT table_schema, table_name, table_type, 'table' AS what FROM information_schema.tables WHERE table_schema IN ({0})
UNION ALL
SELECT event_object_schema, event_object_table, trigger_name, 'trigger' FROM information_schema.triggers
WHERE event_object_schema IN ({0})
"""
_KINDS: Final = {"VIEW": "view", "SYSTEM VIEW": "view", "SEQUENCE": "sequence"}
_TYPE_WORDS: Final = frozenset({"UNSIGNED", "ZEROFILL", "PRECISION", "VARYING"})
_JSON_CHECK: Final = re.compile(r"\s*json_valid\s*\(\s*`(?:[^`]|``)*`\s*\)\s*", re.IGNORECASE)
_USUAL_METHODS: Final = frozenset({"", "btree"})


def read_mysql(
    connection: Connection, schemas: Collection[str | None], tables: Collection[tuple[str | None, str]] | None
) -> SchemaShape:
    """Read what is stored; the arguments are those of `read_postgres`."""
    named = ", ".join("database()" if each is None else _literal(each) for each in schemas)
    rows = _execute(connection, _TABLES.format(named)).all()
    here = _execute(connection, "SELECT database()").scalar_one()
    stored: dict[str, TableShape] = {}
    others: dict[str, str] = {}
    triggers = []
    for schema, name, kind, what in rows:
        full = name if schema == here else f"{schema}.{name}"
        if what == "trigger":
            triggers.append(f"{full}.{kind}")
        elif "TABLE" not in kind and "VERSIONED" not in kind:
            others[full] = _KINDS.get(kind, kind.lower())
        elif (
            tables is None or (None if schema == here else schema, name) in tables or (schema, name) in tables
        ):
            stored[full] = read_table(connection, name, None if schema == here else schema)
    return SchemaShape(tables=stored, others=others, triggers=tuple(sorted(triggers)))


def read_table(connection: Connection, name: str, schema: str | None = None) -> TableShape:
    """Read the table *name*, which may be a temporary one."""
    full = _identifier(name) if schema is None else f"{_identifier(schema)}.{_identifier(name)}"
    text = _execute(connection, f"SHOW CREATE TABLE {full}").one()[1]
    return parse_table(name if schema is None else f"{schema}.{name}", text)


def parse_table(name: str, text: str) -> TableShape:
    """Return the table *name* that *text*, an answer to `SHOW CREATE TABLE`, describes."""
    text = unwrap_versioned(text)
    tokens = tokenize(text, escapes=True)
    opening = next(place for place, token in enumerate(tokens) if token.text == "(")
    end = closing(tokens, opening)
    reader = _Definitions(text)
    for part in split(tokens[opening + 1 : end]):
        reader.read(part)
    options = _options(tokens[end + 1 :])
    return TableShape(
        name=name,
        columns=reader.columns,
        key=reader.key,
        indexes=tuple(reader.indexes),
        checks=tuple(reader.checks),
        references=tuple(reader.references),
        comment=options.get("COMMENT"),
        collation=options.get("COLLATE"),
    )


def _execute(connection: Connection, sql: str) -> Any:
    return connection.exec_driver_sql(sql, execution_options={"no_parameters": True})


def _identifier(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _options(tokens: Sequence[Token]) -> dict[str, str]:
    found: dict[str, str] = {}
    for place, token in enumerate(tokens):
        if token.word in {"COLLATE", "COMMENT"} and place + 2 < len(tokens) and tokens[place + 1].text == "=":
            value = tokens[place + 2]
            _ = found.setdefault(
                token.word, string_value(value.text) if value.kind == "string" else value.text
            )
    return found


class _Definitions:
    """The parts between the parentheses of one `CREATE TABLE`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.columns: dict[str, ColumnShape] = {}
        self.key: KeyShape | None = None
        self.indexes: list[IndexShape] = []
        self.checks: list[CheckShape] = []
        self.references: list[ReferenceShape] = []

    def read(self, tokens: Sequence[Token]) -> None:
        """Read one definition."""
        words = [token.word for token in tokens[:3]]
        if tokens[0].kind == "quoted":
            self._column(tokens)
        elif words[0] == "PRIMARY":
            self.key = KeyShape(name=None, columns=self._index("", tokens[2:]).columns)
        elif words[0] in {"UNIQUE", "KEY", "FULLTEXT", "SPATIAL", "VECTOR"}:
            at = 1 if words[0] == "KEY" else 2
            self.indexes.append(
                self._index(
                    tokens[at].name,
                    tokens[at + 1 :],
                    unique=words[0] == "UNIQUE",
                    method="" if words[0] in {"UNIQUE", "KEY"} else words[0].lower(),
                )
            )
        elif words[0] == "CONSTRAINT" and words[2] == "FOREIGN":
            self._reference(tokens)
        elif words[0] == "CONSTRAINT" and words[2] == "CHECK":
            inner = tokens[4 : closing(tokens, 3)]
            is_enforced = "ENFORCED" not in [each.word for each in tokens[closing(tokens, 3) :]]
            self.checks.append(
                CheckShape(name=tokens[1].name, expression=source(self._text, inner), valid=is_enforced)
            )

    def _index(
        self, name: str, tokens: Sequence[Token], *, unique: bool = False, method: str = ""
    ) -> IndexShape:
        opening = next(place for place, token in enumerate(tokens) if token.text == "(")
        end = closing(tokens, opening)
        elements, columns = [], []
        for part in split(tokens[opening + 1 : end]):
            if part[0].kind == "quoted":
                columns.append(part[0].name)
                elements.append(part[0].name + self._text[part[0].end : part[-1].end])
            else:
                elements.append(source(self._text, part))
        rest = tokens[end + 1 :]
        using = next(
            (rest[at + 1].text.lower() for at, each in enumerate(rest) if each.word == "USING"), method
        )
        return IndexShape(
            name=name,
            elements=tuple(elements),
            columns=tuple(columns),
            unique=unique,
            method="" if using in _USUAL_METHODS else using,
        )

    def _reference(self, tokens: Sequence[Token]) -> None:
        groups: list[tuple[int, int]] = []
        place = 4
        while place < len(tokens) and len(groups) < 2:  # noqa: PLR2004 - here and there
            if tokens[place].text == "(":
                end = closing(tokens, place)
                groups.append((place, end))
                place = end
            place += 1
        (_, local_end), (there, there_end) = groups
        target = [each.name for each in tokens[local_end + 2 : there] if each.text != "."]
        rest = [each.word for each in tokens[there_end + 1 :]]
        self.references.append(
            ReferenceShape(
                name=tokens[1].name,
                columns=tuple(each.name for each in tokens[5:local_end] if each.kind == "quoted"),
                table=".".join(target),
                referred=tuple(each.name for each in tokens[there + 1 : there_end] if each.kind == "quoted"),
                on_delete=_action(rest, "DELETE"),
                on_update=_action(rest, "UPDATE"),
            )
        )

    def _column(self, tokens: Sequence[Token]) -> None:
        name = tokens[0].name
        at = 2
        if at < len(tokens) and tokens[at].text == "(":
            at = closing(tokens, at) + 1
        while at < len(tokens) and tokens[at].word in _TYPE_WORDS:
            at += 1
        type_text = source(self._text, tokens[1:at])
        clauses = _Clauses(self._text, tokens[at:])
        check = clauses.check
        if check is not None and _JSON_CHECK.fullmatch(check):
            type_text, check = "json", None
        if check is not None:
            self.checks.append(CheckShape(name=name, expression=check, column=name))
        self.columns[name] = ColumnShape(
            name=name,
            type=type_text.lower() if type_text.lower()[:3] not in {"enu", "set"} else type_text,
            nullable=clauses.nullable,
            default=None if clauses.default is None or clauses.default.upper() == "NULL" else clauses.default,
            computed=clauses.computed,
            persisted=clauses.persisted,
            numbering="auto_increment" if clauses.auto_increment else None,
            collation=clauses.collation,
            comment=clauses.comment,
        )


class _Clauses:
    """What stands behind the type of a column."""

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self.nullable = True
        self.persisted = self.auto_increment = False
        self.default: str | None = None
        self.computed: str | None = None
        self.collation: str | None = None
        self.comment: str | None = None
        self.check: str | None = None
        at = 0
        while at < len(tokens):
            token, following = tokens[at], tokens[at + 1 : at + 2]
            match token.word:
                case "NOT" if following and following[0].word == "NULL":
                    self.nullable = False
                    at += 1
                case "DEFAULT":
                    end = _default_end(tokens, at + 1)
                    self.default = source(text, tokens[at + 1 : end])
                    at = end - 1
                case "GENERATED" | "AS":
                    opening = next(place for place in range(at, len(tokens)) if tokens[place].text == "(")
                    end = closing(tokens, opening)
                    self.computed = source(text, tokens[opening + 1 : end])
                    at = end
                case "STORED" | "PERSISTENT":
                    self.persisted = True
                case "AUTO_INCREMENT":
                    self.auto_increment = True
                case "COLLATE" if following:
                    self.collation = unquote(following[0].text)
                    at += 1
                case "COMMENT" if following:
                    self.comment = string_value(following[0].text)
                    at += 1
                case "CHECK":
                    end = closing(tokens, at + 1)
                    self.check = source(text, tokens[at + 2 : end])
                    at = end
                case _:
                    pass
            at += 1


def _default_end(tokens: Sequence[Token], begin: int) -> int:
    """Return the place behind the default that begins at *begin*, with `ON UPDATE`, which belongs to it."""
    at = begin
    while at < len(tokens):
        if tokens[at].text == "(":
            at = closing(tokens, at)
        elif at > begin and tokens[at].word in {
            "COMMENT",
            "CHECK",
            "INVISIBLE",
            "COLLATE",
            "COLUMN_FORMAT",
            "STORAGE",
            "NOT",
            "NULL",
        }:
            return at
        at += 1
    return at


def _action(words: Sequence[str], event: str) -> str | None:
    for place, word in enumerate(words):
        if word == "ON" and words[place + 1] == event:
            action = words[place + 2 : place + 4]
            text = " ".join(action) if action[0] in {"SET", "NO"} else action[0]
            # The server does the same for both, and leaves one out when it is asked.
            return None if text in {"NO ACTION", "RESTRICT"} else text
    return None
