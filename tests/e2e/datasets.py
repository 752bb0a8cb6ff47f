"""Public databases as their projects publish them: loaded, mapped as they are, and read by plain SQL."""

import base64
import datetime
import enum
import re
import uuid
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import pytest
import sqlalchemy
from pydantic import BaseModel, Field, create_model
from sqlalchemy import Engine, MetaData, Numeric, Table, Time
from sqlalchemy.exc import SAWarning
from sqlalchemy.orm import DeclarativeBase

from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Fields, QueryRules
from fastapi_easy.domain.values.times import duration_text

FOLDER = Path(__file__).parents[3] / "shared" / "cases" / "data"

_MIDNIGHT = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
_STATEMENTS = re.compile(r"((?:[^;'$-]|'(?:[^']|'')*'|--[^\n]*|-|(\$\w*\$).*?\2|\$)*);", re.DOTALL)


def script(name: str) -> str:
    """The text of the data set *name*; without it the running test is skipped."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path.read_text()


def engine_of(url: str) -> Engine:
    """An engine that waits for its answers, to a database that is called by *url*."""
    parsed = sqlalchemy.make_url(url)
    driver = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "mariadb": "mysql+pymysql"}
    return sqlalchemy.create_engine(parsed.set(drivername=driver[parsed.get_backend_name()]))


def load(engine: Engine, text: str, *, tolerates: str = "^$") -> None:
    """Run every statement of *text*; only those that match *tolerates* may fail."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        for statement in statements(text):
            try:
                with raw.cursor() as cursor:
                    _ = cursor.execute(statement)
            except Exception as error:
                if not re.search(tolerates, statement, re.IGNORECASE | re.MULTILINE):
                    raise AssertionError(f"{error}: {statement[:500]}") from error
    # A script may leave settings behind on its connection.
    engine.dispose()


def statements(text: str) -> Iterator[str]:
    """The statements of *text*, without the commands of a client."""
    plain = re.sub(r"^\\.*$", "", text, flags=re.MULTILINE)
    for found in _STATEMENTS.finditer(plain):
        statement = re.sub(r"^(\s*(--[^\n]*|/\*.*?\*/))*\s*", "", found[1], flags=re.DOTALL)
        if statement and not re.match(r"(CREATE|DROP) DATABASE", statement):
            yield statement


def classes_of(engine: Engine, *, views: Mapping[str, Sequence[str]] | None = None) -> dict[str, type[Any]]:
    """A class for each table that has a key and for each view, those that are referred to first.

    Args:
        engine: Where the tables are.

        views: What identifies a row of each view.
    """
    metadata, keys = MetaData(), views or {}
    with warnings.catch_warnings():
        # A type that SQLAlchemy does not know: the column is left out, with a notice.
        warnings.simplefilter("ignore", SAWarning)
        metadata.reflect(engine, views=True)

    class Tables(DeclarativeBase):
        pass

    Tables.metadata = metadata
    classes = {}
    for table in metadata.sorted_tables:
        if table.primary_key.columns or table.name in keys:
            members: dict[str, Any] = {"__table__": table}
            if table.name in keys:
                members["__mapper_args__"] = {"primary_key": [table.c[name] for name in keys[table.name]]}
            classes[table.name] = type(table.name.title().replace("_", ""), (Tables,), members)
    return classes


def document_class(table: Table) -> type[Any]:
    """A pydantic model of the rows of *table*."""
    members: dict[str, Any] = {}
    for column in table.columns:
        rules = {"max_length": getattr(column.type, "length", None)}
        if isinstance(column.type, Numeric):
            rules = {"max_digits": column.type.precision, "decimal_places": column.type.scale}
        kind: Any = Annotated[column.type.python_type, Field(**rules)]
        members[column.name] = (kind | None, None) if column.nullable else (kind, ...)
    model = create_model(table.name.title().replace("_", ""), **members)
    model.__key__ = tuple(column.name for column in table.primary_key.columns)
    model.__collection__ = table.name
    return model


def names_of(entity: type[Any]) -> list[str]:
    """The fields of *entity*, a class of SQLAlchemy or of documents."""
    return list(entity.model_fields if issubclass(entity, BaseModel) else entity.__table__.columns.keys())


def readable_fields(names: Iterable[str]) -> Fields:
    """The rules of a resource of the fields *names* by which callers see what is called a password too."""
    return Fields(readable=[each for each in names if each == "password"])


def container_of(classes: Mapping[str, type[Any]]) -> type[Container]:
    """A container with a resource for each of *classes*."""
    members = {
        name: resource(each, query=QueryRules(max_limit=1000), fields=readable_fields(names_of(each)))
        for name, each in classes.items()
    }
    return type("Dataset", (Container,), members)


def shown(value: Any) -> Any:  # noqa: PLR0911 (a line for each type)
    """*value*, as a driver gives it, in the JSON of answers."""
    match value:
        case enum.Enum():
            return value.value
        case Decimal():
            return format(value, "f")
        case datetime.datetime():
            aware = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
            return aware.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
        case datetime.date() | datetime.time():
            return value.isoformat()
        case datetime.timedelta():
            return duration_text(value)
        case bytes() | memoryview():
            return base64.b64encode(bytes(value)).decode()
        case uuid.UUID():
            return str(value)
        case set():
            return ",".join(sorted(map(str, value)))
        case _:
            return value


def rows_of(engine: Engine, table: Table, names: Sequence[str], key: Sequence[str]) -> list[dict[str, Any]]:
    """What plain SQL reads from *table*, in the order of its *key*, in the JSON of answers."""
    quote = engine.dialect.identifier_preparer.quote
    # Names of columns and tables, each quoted.
    text = f"SELECT {', '.join(map(quote, names))} FROM {quote(table.name)} ORDER BY {', '.join(map(quote, key))}"
    with engine.connect() as connection:
        rows = [dict(row._mapping) for row in connection.exec_driver_sql(text)]
    for name in names:
        if isinstance(table.columns[name].type, Time):
            for row in rows:
                # pymysql gives the time of a day as the time since midnight.
                row[name] = row[name] if row[name] is None else (_MIDNIGHT + row[name]).time()
    return [{name: shown(value) for name, value in row.items()} for row in rows]
