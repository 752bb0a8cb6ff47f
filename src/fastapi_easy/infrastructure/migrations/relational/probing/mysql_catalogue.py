"""What MySQL's and MariaDB's catalogues say of single objects, in the server's own spelling."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, text

_COLUMN: Final = """
    SELECT column_type, is_nullable, column_default, extra, generation_expression, collation_name, column_comment
    FROM information_schema.columns
    WHERE table_schema = coalesce(:schema, database()) AND table_name = :name AND column_name = :column
"""
_LINE: Final = re.compile(
    r"""^(?:
        (?P<constraint>CONSTRAINT\s+(?P<c>`(?:[^`]|``)*`|"(?:[^"]|"")*")\s+(?P<what>FOREIGN\ KEY|CHECK).*)
        | (?P<primary>PRIMARY\ KEY.*)
        | (?P<key>(?:UNIQUE\ |FULLTEXT\ |SPATIAL\ )?KEY\s+(?P<k>`(?:[^`]|``)*`|"(?:[^"]|"")*").*)
        | (?P<column>`(?:[^`]|``)*`|"(?:[^"]|"")*")\s+(?P<definition>.*)
    )$""",
    re.VERBOSE | re.DOTALL,
)

_NAME: Final = re.compile(r"""^[^`"(]*(`(?:[^`]|``)*`|"(?:[^"]|"")*")""")
_QUOTED: Final = re.compile(r"""`(?:[^`]|``)*`|"(?:[^"]|"")*\"""")
_LISTED: Final = re.compile(r"""\((?:[^()`"]|`(?:[^`]|``)*`|"(?:[^"]|"")*"|\(\d+\))*\)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class MySQLTable:
    """A stored table as `SHOW CREATE TABLE` spells it.

    Attributes:
        text: The whole statement.

        columns: Their definitions by name, in their order.

        primary_key: The line of the primary key; empty for none.

        keys: The lines of the indexes by name.

        references: The lines of the foreign keys by name.

        checks: The lines of the checks by name.
    """

    text: str
    columns: Mapping[str, str] = field(default_factory=dict)
    primary_key: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    checks: Mapping[str, str] = field(default_factory=dict)

    def constraint(self, kind: str | None, name: str) -> str | None:
        """Return the line of a constraint of *kind*; `None` if there is none of that name."""
        match kind:
            case "foreignkey":
                return self.references.get(name)
            case "unique":
                return self.keys.get(name)
            case "primary":
                return self.primary_key or None
            case _:
                return self.checks.get(name)

    def without_references(self, names: set[str]) -> str:
        """Return the whole statement without some foreign keys."""
        gone = {self.references[each] for each in names if each in self.references}
        head, *lines = self.text.split("\n")
        end = next(place for place, each in enumerate(lines) if each.startswith(")"))
        kept = [each.strip().removesuffix(",") for each in lines[:end]]
        body = ",\n".join(f"  {each}" for each in kept if each not in gone)
        return "\n".join([head, body, *lines[end:]])


@dataclass(frozen=True, slots=True)
class MySQLCatalogue:
    """Reads MySQL's or MariaDB's catalogue.

    Args:
        connection: What is asked; nothing is written.
    """

    connection: Connection

    def table(self, schema: str | None, name: str) -> MySQLTable | None:
        """Return a table; `None` if there is none of that name."""
        if not self.exists(schema, name):
            return None
        quote = self.connection.dialect.identifier_preparer.quote_identifier
        full = ".".join(quote(each) for each in (schema, name) if each)
        options = {"no_parameters": True}
        found = self.connection.exec_driver_sql(
            f"SHOW CREATE TABLE {_single(full)}", execution_options=options
        )
        return read_table(found.one()[1])

    def exists(self, schema: str | None, name: str) -> bool:
        """Tell whether there is a table, no view, of that name."""
        return self.comment(schema, name) is not None

    def comment(self, schema: str | None, name: str) -> str | None:
        """Return the comment of a table, empty for none; `None` if there is no table."""
        found: str | None = self.scalar(
            "SELECT table_comment FROM information_schema.tables WHERE table_type LIKE '%TABLE%'"
            " AND table_schema = coalesce(:schema, database()) AND table_name = :name",
            schema=schema,
            name=name,
        )
        return found

    def column(self, schema: str | None, table: str, column: str) -> Mapping[str, Any] | None:
        """Return what the information schema says of a column; `None` if there is none of that name."""
        found = self.connection.execute(
            text(_COLUMN), {"schema": schema, "name": table, "column": column}
        ).mappings()
        row = found.first()
        return None if row is None else {str(name).lower(): value for name, value in row.items()}

    def has_schema(self, name: str) -> bool:
        """Tell whether there is a schema of that name."""
        found = self.scalar(
            "SELECT schema_name FROM information_schema.schemata WHERE schema_name = :name", name=name
        )
        return found is not None

    def scalar(self, statement: str, **parameters: Any) -> Any:
        """Return the first value of *statement*; `None` for none."""
        return self.connection.execute(text(statement), parameters).scalar()


def read_table(definition: str) -> MySQLTable:
    """Return what `SHOW CREATE TABLE` answered, line by line."""
    columns: dict[str, str] = {}
    keys: dict[str, str] = {}
    references: dict[str, str] = {}
    checks: dict[str, str] = {}
    primary_key = ""
    for each in definition.split("\n")[1:]:
        if each.startswith(")"):
            break
        line = each.strip().removesuffix(",")
        found = _LINE.match(line)
        if found is None:
            continue
        if found["column"]:
            columns[_name(found["column"])] = found["definition"]
        elif found["primary"]:
            primary_key = line
        elif found["key"]:
            keys[_name(found["k"])] = line
        else:
            (references if found["what"] == "FOREIGN KEY" else checks)[_name(found["c"])] = line
    return MySQLTable(
        text=definition,
        columns=columns,
        primary_key=primary_key,
        keys=keys,
        references=references,
        checks=checks,
    )


def key_columns(line: str) -> tuple[str, ...]:
    """Return the columns of the line of an index or foreign key, without lengths and directions."""
    listed = _LISTED.search(_NAME.sub("", line, count=1))
    return () if listed is None else tuple(_name(each) for each in _QUOTED.findall(listed[0]))


def _name(quoted: str) -> str:
    mark = quoted[0]
    return quoted[1:-1].replace(mark * 2, mark)


def _single(full: str) -> str:
    # A driver that marks parameters with `%` has them doubled, and there are none here.
    return full.replace("%%", "%")
