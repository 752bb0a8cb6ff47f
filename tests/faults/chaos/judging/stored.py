"""What is in a store at the end, read without the product: by the drivers, from the servers themselves."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pymongo
import pymysql
from psycopg.rows import dict_row

PUBLISHED = 2
"""The state of a message in the outbox that was published."""


@dataclass(frozen=True, slots=True)
class ArticleRow:
    """An article as it is stored."""

    key: int
    name: str
    note: str
    version: int


@dataclass(frozen=True, slots=True)
class Event:
    """A message of the outbox: what was committed about an article.

    Attributes:
        number: Ascends in the order in which the changes of one article were committed.

        verb: `created`, `updated`, `deleted`.

        name, note: As they were after the change; empty of an article that is gone.

        is_published: Whether the outbox says so.
    """

    id: str
    number: int
    verb: str
    key: int
    version: int
    name: str = ""
    note: str = ""
    is_published: bool = True


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store holds.

    Attributes:
        counters: The values by their keys.

        marks: The name and the counter of each increment.
    """

    articles: Sequence[ArticleRow] = ()
    counters: Mapping[int, int] = field(default_factory=dict)
    marks: Sequence[tuple[str, int]] = ()
    events: Sequence[Event] = ()


def read(store: str, url: str) -> Stored:
    """Read everything of *store* at *url*."""
    with _tables(store, url) as rows:
        return Stored(
            articles=[
                ArticleRow(each["id"], each["name"], each["note"], each["version"])
                for each in rows("chaos_articles")
            ],
            counters={each["id"]: each["value"] for each in rows("chaos_counters")},
            marks=[(each["name"], each["counter"]) for each in rows("chaos_marks")],
            events=[_event(each) for each in rows("fe_outbox")],
        )


def _event(row: Mapping[str, Any]) -> Event:
    values = _plain(row["values"]) or {}
    return Event(
        id=str(row.get("id") or row["_id"]).replace("-", ""),
        number=row["number"],
        verb=row["verb"],
        key=_plain(row["key"]),
        version=int(row["version"] or 0),
        name=values.get("name", ""),
        note=values.get("note", ""),
        is_published=row["state"] == PUBLISHED,
    )


def _plain(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str | bytes) else value


@contextlib.contextmanager
def _tables(store: str, url: str) -> Iterator[Any]:
    """What reads the rows of a table, or the documents of a collection."""
    parts = urlsplit(url)
    match store:
        case "postgres":
            with psycopg.connect(url, row_factory=dict_row) as connection:
                yield lambda table: connection.execute(f"SELECT * FROM {table}").fetchall()
        case "mariadb":
            with (
                contextlib.closing(
                    pymysql.connect(
                        host=parts.hostname,
                        port=parts.port or 3306,
                        user=parts.username or "root",
                        database=parts.path.lstrip("/"),
                        cursorclass=pymysql.cursors.DictCursor,
                    )
                ) as connection,
                connection.cursor() as cursor,
            ):

                def rows(table: str) -> Any:
                    _ = cursor.execute(f"SELECT * FROM {table}")
                    return cursor.fetchall()

                yield rows
        case "mongo":
            with pymongo.MongoClient[dict[str, Any]](
                url, serverSelectionTimeoutMS=10_000, uuidRepresentation="standard"
            ) as client:
                yield lambda collection: [
                    {"id": each.get("_id"), **each}
                    for each in client.get_default_database()[collection].find()
                ]
        case _:
            with contextlib.closing(sqlite3.connect(parts.path[1:])) as file:
                file.row_factory = sqlite3.Row
                yield lambda table: [dict(each) for each in file.execute(f"SELECT * FROM {table}")]
