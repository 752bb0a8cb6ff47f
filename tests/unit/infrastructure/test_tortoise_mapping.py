"""What is read from Tortoise's models, and how they stand for tables."""

import datetime
import decimal
import enum
import uuid

import annotated_types
import pytest
import tortoise.context
from pydantic import AfterValidator
from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint
from tortoise import Model, fields, validators
from tortoise.backends.base.schema_generator import BaseSchemaGenerator
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.fields.db_defaults import Now
from tortoise.indexes import Index
from tortoise.migrations import constraints

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.resources.reference import Reference, ReferentialAction
from fastapi_easy.domain.resources.relation import Through
from fastapi_easy.infrastructure.persistence.tortoise.models.mapping import describe, recognises
from fastapi_easy.infrastructure.persistence.tortoise.models.tables import TableBuilder, constraint_name


class Shade(enum.Enum):
    DARK = "d"
    LIGHT = "l"


class Rank(enum.IntEnum):
    LOW = 1
    HIGH = 2


def is_even(value):
    if value % 2:
        raise validators.ValidationError(f"{value} is odd")


class Maker(Model):
    """Somebody who makes lamps."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=40, unique=True, source_field="full_name")

    class Meta:
        app = "lamps"


class Lamp(Model):
    """A lamp."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(
        max_length=40, validators=[validators.MinLengthValidator(2)], description="Its name."
    )
    code = fields.CharField(max_length=9, validators=[validators.RegexValidator(r"[A-Z]+\Z", 0)])
    watts = fields.IntField(default=40, validators=[validators.MinValueValidator(1), is_even])
    price = fields.DecimalField(max_digits=9, decimal_places=2, default=1)
    shade = fields.CharEnumField(Shade, default="d")
    rank = fields.IntEnumField(Rank, default=Rank.LOW)
    field_arguments = fields.JSONField(default={"a": []})
    serial = fields.UUIDField(default=uuid.uuid4)
    opens = fields.TimeField(default=datetime.time(9))
    state = fields.CharField(max_length=9, db_default="new", db_index=True)
    seen_at = fields.DatetimeField(db_default=Now())
    made_at = fields.DatetimeField(auto_now_add=True)
    changed_at = fields.DatetimeField(auto_now=True)
    maker = fields.ForeignKeyField("lamps.Maker", related_name="lamps", null=True, on_delete=fields.RESTRICT)
    twin = fields.OneToOneField("lamps.Lamp", related_name="other", null=True)
    friends = fields.ManyToManyField("lamps.Maker", related_name="liked")
    lasts = fields.TimeDeltaField(null=True)

    class Meta:
        app = "lamps"
        unique_together = (("name", "maker"),)
        indexes = (("code", "rank"), Index(fields=["price"], name="by_price"))
        constraints = (
            constraints.UniqueConstraint(fields=("code", "rank"), name="one_each"),
            constraints.CheckConstraint(check="watts > 0", name="watts_are_positive"),
        )


class LampShade(Model):
    """On a lamp, of which the database shall know nothing."""

    id = fields.IntField(primary_key=True)
    lamp = fields.ForeignKeyField("lamps.Lamp", related_name=False, db_constraint=False)

    class Meta:
        app = "lamps"
        table = "shades"
        schema = "attic"


SHAPE = describe(Lamp)
FIELDS = {field.name: field for field in SHAPE.fields}


@pytest.mark.parametrize(
    ("entity", "expected"), [(Lamp, True), (Model, False), (Lamp(), False), (Shade, False)], ids=repr
)
def test_recognises_models(entity, expected):
    assert recognises(entity) is expected


def test_reads_the_fields_in_the_order_of_the_class_and_keys_in_place_of_relations():
    assert list(FIELDS) == [
        *(
            "id",
            "name",
            "code",
            "watts",
            "price",
            "shade",
            "rank",
            "field_arguments",
            "serial",
            "opens",
            "state",
            "seen_at",
        ),
        *("made_at", "changed_at", "maker_id", "twin_id", "lasts"),
    ]
    assert SHAPE.key == ("id",)


def test_reads_kinds_and_bounds():
    assert FIELDS["id"] == Field(
        name="id", kind=Kind.INTEGER, generated=True, unique=True, minimum=-(2**31), maximum=2**31 - 1
    )
    assert (FIELDS["price"].kind, FIELDS["price"].precision, FIELDS["price"].scale) == (Kind.DECIMAL, 9, 2)
    assert (FIELDS["shade"].enumeration, FIELDS["rank"].enumeration) == (Shade, Rank)
    assert (FIELDS["lasts"].kind, FIELDS["lasts"].nullable) == (Kind.DURATION, True)
    assert (FIELDS["maker_id"].kind, FIELDS["maker_id"].nullable) == (Kind.UUID, True)


def test_defaults_are_what_would_come_back():
    assert FIELDS["watts"].default == 40
    assert str(FIELDS["price"].default) == "1.00"
    assert FIELDS["shade"].default is Shade.DARK
    assert FIELDS["opens"].default == datetime.time(9)
    assert FIELDS["serial"].default_factory is not None
    made = [FIELDS["field_arguments"].default_factory() for _ in range(2)]
    assert made == [{"a": []}, {"a": []}]
    assert made[0]["a"] is not made[1]["a"]


def test_leaves_defaults_of_the_database_to_the_database():
    assert [name for name, field in FIELDS.items() if field.store_default] == ["state", "seen_at"]


def test_times_that_tortoise_fills_in_are_not_for_callers():
    assert [name for name, field in FIELDS.items() if field.generated] == ["id", "made_at", "changed_at"]


def test_validators_become_rules():
    name, code, watts = FIELDS["name"], FIELDS["code"], FIELDS["watts"]

    assert (name.min_length, name.max_length, name.description) == (2, 40, "Its name.")
    assert name.rules == (annotated_types.MinLen(2), annotated_types.MaxLen(40))
    assert watts.rules[0] == annotated_types.Ge(1)
    # A sentence of the user's own is theirs; one of Tortoise's would repeat the value.
    for rule, good, bad, sentence in (
        (code.rules[0], "AB", "ab", "Does not match"),
        (watts.rules[1], 2, 3, "3 is odd"),
    ):
        assert isinstance(rule, AfterValidator)
        assert rule.func(good) == good
        with pytest.raises(ValueError, match=sentence):
            rule.func(bad)


def test_enumerations_do_not_describe_themselves():
    assert FIELDS["shade"].description is None


def test_reads_what_is_unique():
    assert SHAPE.unique == (("twin_id",), ("name", "maker_id"), ("code", "rank"))
    assert describe(Maker).unique == (("name",),)


def test_reads_what_the_database_shall_keep_of_relations():
    references = (
        Reference(fields=("maker_id",), target="maker", remote=("id",), on_delete=ReferentialAction.RESTRICT),
        Reference(fields=("twin_id",), target="lamp", remote=("id",), on_delete=ReferentialAction.CASCADE),
    )

    assert references == SHAPE.references
    assert (SHAPE.table, SHAPE.columns["maker_id"]) == ("lamp", "maker_id")
    assert describe(Maker).columns["full_name"] == "name"
    assert (describe(LampShade).table, describe(LampShade).references) == ("attic.shades", ())


def test_reads_relations_from_both_ends():
    links, of_maker = SHAPE.links, describe(Maker).links

    assert sorted(links) == ["friends", "maker", "other", "twin"]
    maker, other, friends = links["maker"], links["other"], links["friends"]
    assert (maker.target, maker.many, maker.local, maker.remote) == (Maker, False, ("maker_id",), ("id",))
    assert (other.target, other.many, other.local, other.remote) == (Lamp, False, ("id",), ("twin_id",))
    assert isinstance(friends.through, Through)
    assert (friends.through.local, friends.through.remote) == (("lamp_id",), ("maker_id",))
    assert (of_maker["lamps"].many, of_maker["lamps"].remote) == (True, ("maker_id",))
    assert of_maker["liked"].through is not None


class Upper(fields.CharField):
    def to_db_value(self, value, instance):
        return value.upper()


class Unreadable(Model):
    id = fields.IntField(primary_key=True)

    async def later():
        return 1

    number = fields.IntField(default=later)


class Shouting(Model):
    """With fields that no kind stands for: one of its own class, and one of Tortoise's."""

    loud = Upper(max_length=9)
    tags = ArrayField("box")


class Lost(Model):
    maker = fields.ForeignKeyField("lamps.Nobody")


class Shapeless(Model):
    class Meta:
        abstract = True


@pytest.mark.parametrize(
    ("entity", "words"),
    [
        pytest.param(
            Unreadable,
            [
                "the default of Unreadable.number has to be awaited",
            ],
            id="fields",
        ),
        pytest.param(
            Lost, ["Lost.maker refers to 'lamps.Nobody', a model which is not declared"], id="relation"
        ),
        pytest.param(Shapeless, ["Shapeless is abstract"], id="abstract"),
    ],
)
def test_reports_mistakes(entity, words):
    with pytest.raises(DeclarationError) as refused:
        describe(entity)

    assert len(refused.value.mistakes) == len(words)
    assert all(word in mistake for word, mistake in zip(words, refused.value.mistakes, strict=True))


def test_leaves_out_what_no_kind_stands_for_and_takes_a_class_of_the_users_for_a_mistake():
    omitted = describe(Shouting).omitted

    assert {name: (each.is_mistake, each.reason.split(",")[0]) for name, each in omitted.items()} == {
        "loud": (True, "Shouting.loud is a Upper"),
        "tags": (False, "Shouting.tags is a ArrayField"),
    }


def test_mirrors_columns_and_rules():
    table = TableBuilder("postgresql").table_of(Lamp)

    assert (table.name, [column.name for column in table.columns]) == ("lamp", list(FIELDS))
    assert [column.name for column in table.primary_key.columns] == ["id"]
    assert {column.name for column in table.columns if column.unique} == {"twin_id"}
    assert {
        tuple(column.name for column in each.columns)
        for each in table.constraints
        if isinstance(each, UniqueConstraint)
    } == {("name", "maker_id"), ("code", "rank"), ("twin_id",)}
    assert [str(each.sqltext) for each in table.constraints if isinstance(each, CheckConstraint)] == [
        "watts > 0"
    ]
    assert {str(each.name) for each in table.indexes} == {
        constraint_name("idx", Lamp, ["state"]),
        constraint_name("idx", Lamp, ["code", "rank"]),
        "by_price",
    }
    references = {
        (each.column_keys[0], each.elements[0].target_fullname, each.ondelete)
        for each in table.constraints
        if isinstance(each, ForeignKeyConstraint)
    }
    assert references == {("maker_id", "maker.id", "RESTRICT"), ("twin_id", "lamp.id", "CASCADE")}
    assert str(table.columns["state"].server_default.arg) == "'new'"


def test_an_association_table_is_the_same_from_both_ends():
    mirror = TableBuilder("sqlite")
    here, there = SHAPE.links["friends"].through, describe(Maker).links["liked"].through

    table = mirror.association_table(here.table)

    assert mirror.association_table(there.table) is table
    assert (table.name, [column.name for column in table.columns]) == ("lamp_maker", ["lamp_id", "maker_id"])


@pytest.mark.parametrize("columns", [["name"], ["name", "maker_id"]])
def test_rules_are_called_as_tortoise_calls_them(columns):
    theirs = BaseSchemaGenerator(None)

    assert constraint_name("uid", Lamp, columns) == theirs._get_index_name("uid", Lamp, columns)


def test_the_context_of_tortoise_is_where_it_was():
    """A private name is used; the version of Tortoise is capped because of it."""
    assert tortoise.context._current_context.get() is None
    assert decimal.Decimal(1) == FIELDS["price"].default
