"""What is read from column types of users at start, and with which sentence one is refused."""

import datetime
import enum
import pathlib
import secrets
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from returns.result import Failure
from sqlalchemy import Integer, PickleType, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field as SqlModelField
from sqlmodel import SQLModel

from fastapi_easy.domain import Kind
from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import Fault, Invalid
from fastapi_easy.domain.field import Comparison, Field
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Operator, Where
from fastapi_easy.domain.resources.declaration import Declaration, declare
from fastapi_easy.domain.resources.options import Fields, QueryRules
from fastapi_easy.infrastructure.persistence.sqlalchemy import SqlAlchemyDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.mapping import describe
from fastapi_easy.infrastructure.persistence.sqlmodel.mapping import describe as describe_sqlmodel
from tests.e2e import column_types as columns
from tests.unit.infrastructure.sqlalchemy.relational import relational


def with_column(type_: Any, annotation: Any = None, **options: Any) -> type[Any]:
    """A class with a number as its key, and a column of that type."""

    class Base(DeclarativeBase): ...

    annotations = {"id": Mapped[int]} | ({} if annotation is None else {"value": Mapped[annotation]})
    body = {
        "__tablename__": f"customs_{secrets.token_hex(4)}",
        "__annotations__": annotations,
        "id": mapped_column(primary_key=True),
        "value": mapped_column(type_, **options),
    }
    return type("Custom", (Base,), body)


def field_of(type_: Any, annotation: Any = None, **options: Any) -> Field:
    return next(
        each for each in describe(with_column(type_, annotation, **options)).fields if each.name == "value"
    )


class Offset(TypeDecorator):
    impl = Integer
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return value + 7

    def process_result_value(self, value, dialect):
        return value - 7


class Hashed(TypeDecorator):
    """As for passwords: what is read is not what was given."""

    impl = String(64)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return f"{hash(value):x}"


class Iban(TypeDecorator):
    """So strict that it takes no sample."""

    impl = String(34)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        if len(value) != 22:
            raise ValueError("must have 22 characters")
        return value


class Local(TypeDecorator):
    """Reads another time than it has stored."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return int(value.timestamp())

    def process_result_value(self, value, dialect):
        return datetime.datetime.fromtimestamp(value + 3600, datetime.UTC)


class Descending(TypeDecorator):
    impl = Integer
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return -value

    def process_result_value(self, value, dialect):
        return -value


class TextMoney(TypeDecorator):
    impl = String(20)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return str(value)

    def process_result_value(self, value, dialect):
        return Decimal(value)


class Saying(TypeDecorator[Decimal]):
    """Says by its base what it gives."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return str(value)

    def process_result_value(self, value, dialect):
        return Decimal(value)


class Returning(TypeDecorator):
    impl = Text
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return str(value)

    def process_result_value(self, value, dialect) -> "pathlib.PurePosixPath | None":
        return None if value is None else pathlib.PurePosixPath(value)


class Mood(enum.Enum):
    GOOD = "g"
    BAD = "b"


class MoodLetter(TypeDecorator):
    impl = String(1)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return value.value

    def process_result_value(self, value, dialect):
        return Mood(value)


@pytest.mark.parametrize(
    ("type_", "annotation", "kind", "comparison"),
    [
        pytest.param(columns.Guid, uuid.UUID, Kind.UUID, Comparison.FULL, id="annotated"),
        pytest.param(
            columns.Guid, columns.Guid, Kind.UUID, Comparison.FULL, id="annotated with the type itself"
        ),
        pytest.param(columns.Guid, Any, Kind.UUID, Comparison.FULL, id="annotated with anything"),
        pytest.param(columns.Guid, "uuid.UUID | None", Kind.UUID, Comparison.FULL, id="annotated in quotes"),
        pytest.param(Saying, None, Kind.DECIMAL, Comparison.EQUALITY, id="said by its base class"),
        pytest.param(Returning, None, Kind.TEXT, Comparison.FULL, id="said by its method"),
        pytest.param(columns.JsonText, None, Kind.JSON, Comparison.FULL, id="told by samples, JSON"),
        pytest.param(columns.Epoch, None, Kind.DATETIME, Comparison.FULL, id="told by samples, a time"),
        pytest.param(columns.Cents, None, Kind.DECIMAL, Comparison.FULL, id="told by samples, a decimal"),
        pytest.param(columns.YesNo, None, Kind.BOOLEAN, Comparison.FULL, id="told by samples, a boolean"),
        pytest.param(
            MoodLetter, None, Kind.ENUM, Comparison.FULL, id="told by what it reads, an enumeration"
        ),
        pytest.param(Offset, None, Kind.INTEGER, Comparison.ORDER, id="no sums of shifted numbers"),
        pytest.param(
            Descending, None, Kind.INTEGER, Comparison.EQUALITY, id="no order where it is the other way about"
        ),
        pytest.param(TextMoney, Decimal, Kind.DECIMAL, Comparison.EQUALITY, id="no order of numbers as text"),
        pytest.param(Hashed, str, Kind.TEXT, Comparison.NONE, id="nothing is found by what is hashed again"),
        pytest.param(
            columns.Sealed, str, Kind.TEXT, Comparison.NONE, id="nothing is found that differs each time"
        ),
        pytest.param(
            columns.Masked, str, Kind.TEXT, Comparison.EQUALITY, id="parts of masked text mean nothing"
        ),
        pytest.param(Iban, str, Kind.TEXT, Comparison.FULL, id="strict text"),
        pytest.param(Iban, None, Kind.TEXT, Comparison.FULL, id="strict text that nobody has annotated"),
        pytest.param(
            columns.SettingsType, columns.Settings, Kind.JSON, Comparison.FULL, id="a pydantic model"
        ),
        pytest.param(columns.Folded, str, Kind.TEXT, Comparison.NONE, id="what the database itself changes"),
    ],
)
def test_tells_the_kind_and_what_can_be_compared(
    type_: Any, annotation: Any, kind: Kind, comparison: Comparison
) -> None:
    field = field_of(type_, annotation)

    assert (field.kind, field.comparison) == (kind, comparison)


def test_a_type_says_by_its_python_type_what_it_gives() -> None:
    class Phone(columns.PhoneType):
        cache_ok = True
        python_type = columns.PhoneNumber

    field = field_of(Phone)

    assert (field.kind, field.comparison, field.max_length) == (Kind.TEXT, Comparison.FULL, 20)


class OnlyPostgres(columns.DashedGuid):
    cache_ok = True

    def load_dialect_impl(self, dialect):
        if dialect.name != "postgresql":
            raise NotImplementedError(dialect.name)
        return dialect.type_descriptor(String(36))


async def test_a_type_may_support_one_database_only() -> None:
    shape = describe(with_column(OnlyPostgres, uuid.UUID))
    narrowed, refused = SqlAlchemyDatabase("default", "sqlite://").narrow_shape("customs", shape)
    _, fitting = SqlAlchemyDatabase("default", "postgresql://here/shop").narrow_shape("customs", shape)

    assert [each.kind for each in narrowed.fields] == [Kind.INTEGER, Kind.UUID]
    (sentence,) = refused
    assert sentence == (
        "customs.value: its type OnlyPostgres fails on sqlite (NotImplementedError('sqlite'));"
        " give the column another type"
    )
    assert fitting == []


def test_reads_sqlmodel_classes() -> None:
    class Custom(SQLModel, table=True):
        id: int | None = SqlModelField(default=None, primary_key=True)
        reference: uuid.UUID = SqlModelField(sa_type=columns.Guid, default_factory=uuid.uuid4)
        place: pathlib.PurePosixPath = SqlModelField(sa_type=columns.PathType)
        phone: columns.PhoneNumber | None = SqlModelField(sa_type=columns.PhoneType)

    kinds = {each.name: each.kind for each in describe_sqlmodel(Custom).fields}

    assert kinds == {"id": Kind.INTEGER, "reference": Kind.UUID, "place": Kind.TEXT, "phone": Kind.TEXT}


class Opaque: ...


class OpaqueType(TypeDecorator):
    impl = String(10)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return value.text

    def process_result_value(self, value, dialect):
        return Opaque()


@pytest.mark.parametrize(
    ("type_", "annotation", "sentence"),
    [
        pytest.param(
            OpaqueType,
            Opaque,
            "Custom.value is annotated as Opaque, which cannot be written in JSON; say how it can, as in"
            " Mapped[Annotated[Opaque, PlainValidator(…), PlainSerializer(…)]], or leave the column out of the class",
            id="a class that nothing can write",
        ),
        pytest.param(
            OpaqueType,
            None,
            "Custom.value has the type OpaqueType, which does not say what it gives; annotate the attribute with the"
            " Python type of its values, as in Mapped[dict], or give the type a python_type",
            id="nobody says what it gives",
        ),
        pytest.param(
            PickleType,
            None,
            "Custom.value has the type PickleType, which does not say what it gives; annotate the attribute with the"
            " Python type of its values, as in Mapped[dict], or give the type a python_type",
            id="it gives back anything",
        ),
        pytest.param(
            columns.Guid,
            int,
            "Custom.value is annotated as int, but its type Guid takes no int; annotate it with what the type gives",
            id="it takes nothing of the kind",
        ),
        pytest.param(
            columns.Cents,
            int,
            "Custom.value is annotated as int, but its type Cents reads what it has stored for a value of type int as"
            " something else; annotate it with what the type gives",
            id="it gives another type",
        ),
        pytest.param(
            Local,
            datetime.datetime,
            "Custom.value is annotated as datetime, but its type Local reads another datetime than it has stored;"
            " annotate it with what the type gives",
            id="it gives another value",
        ),
    ],
)
def test_refuses_a_type_at_start_and_says_the_way_out(type_: Any, annotation: Any, sentence: str) -> None:
    custom = with_column(type_, annotation)

    _, mistakes = declare("customs", Declaration(entity=custom), describe(custom))
    hidden = Declaration(entity=custom, fields=Fields(hidden=["value"]))
    allowed, _ = declare("customs", hidden, describe(custom))

    assert list(mistakes) == [sentence]
    assert allowed is not None


def test_what_cannot_be_compared_is_no_key_and_no_rule_of_queries() -> None:
    class Base(DeclarativeBase): ...

    class Secret(Base):
        __tablename__ = "secrets"

        id: Mapped[str] = mapped_column(columns.Sealed, primary_key=True)
        code: Mapped[str] = mapped_column(columns.Sealed, unique=True)

    asked = QueryRules(filter=["code"], sort=["code"], search=["code"])

    _, mistakes = declare(
        "secrets", Declaration(entity=Secret, query=asked, upsert=["code"]), describe(Secret)
    )

    key_mistake, *query_mistakes = (each.partition(": ")[2] for each in mistakes)
    assert key_mistake == (
        "'id' is part of the key, but its column type stores a value in another way each time,"
        " so that it is never found again: use another key, or another type"
    )
    assert query_mistakes == [
        "query.filter names 'code', which is not a readable field that can be compared: remove it",
        "query.sort names 'code', which is not a readable field that has an order: remove it",
        "query.search names 'code', which is not a readable text field: remove it",
        "upsert names 'code', whose column type stores a value in another way each time: use another field",
    ]


@pytest.fixture
async def groups(url: str) -> AsyncIterator[Repository[Any]]:
    group = with_column(columns.DashedGuid, uuid.UUID, nullable=False)
    async with relational(url, {"groups": group}) as world:
        yield world["groups"]


async def test_a_value_that_was_not_checked_is_refused_before_anything_is_written(
    groups: Repository[Any],
) -> None:
    good = uuid.UUID(int=1)
    kept = (await groups.add({"value": good})).unwrap()
    refused = Failure(Invalid((Fault("/value", "The value does not fit", "out_of_range"),)))

    assert await groups.add({"value": "abc"}) == refused
    assert await groups.add_all([{"value": good}, {"value": "abc"}]) == refused
    assert await groups.update(kept["id"], Patch({"value": "abc"})) == refused
    assert [each["value"] for each in (await groups.select(Query())).unwrap().items] == [good]


async def test_a_comparison_that_was_not_checked_finds_nothing(groups: Repository[Any]) -> None:
    _ = (await groups.add({"value": uuid.UUID(int=1)})).unwrap()

    assert (await groups.count(Where("value", Operator.EQUALS, "abc"))).unwrap() == 0
    assert (await groups.count(Where("value", Operator.NOT_EQUALS, "abc"))).unwrap() == 1
    assert (await groups.count(Where("value", Operator.IN, ("abc", uuid.UUID(int=1))))).unwrap() == 1


async def test_instances_hold_the_objects_that_the_type_gives(url: str) -> None:
    phones = with_column(columns.PhoneType, columns.PhoneNumber)
    async with relational(url, {"phones": phones}) as world:
        saved = (await world.entities("phones").save(phones(value=columns.Phone("+1")))).unwrap()
        found = (await world["phones"].select(Query(page=PageRequest(limit=1)))).unwrap().items

    assert (type(saved.value), saved.value.number) == (columns.Phone, "+1")
    assert [each["value"] for each in found] == ["+1"]
