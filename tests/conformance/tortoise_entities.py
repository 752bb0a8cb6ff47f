"""The suite's resources as Tortoise's models.

A family of classes for each kind of database, since Tortoise keeps what it knows about a class once per process.
"""

import uuid
from typing import Any

from tortoise import Model, fields
from tortoise.contrib.postgres.fields import ArrayField

from fastapi_easy.testing.conformance import Colour


def family(label: str) -> dict[str, type[Any]]:
    """Models of their own, in tables and an app that are called after *label*."""

    class Note(Model):
        id = fields.IntField(primary_key=True)
        title = fields.CharField(max_length=200)
        body = fields.TextField(default="")
        remark = fields.CharField(max_length=200, null=True)
        priority = fields.IntField(default=0)
        rank = fields.IntField(null=True)
        views = fields.BigIntField(default=0)
        price = fields.DecimalField(max_digits=15, decimal_places=4, null=True)
        score = fields.FloatField(null=True)
        done = fields.BooleanField(default=False)
        due = fields.DateField(null=True)
        alarm = fields.TimeField(null=True)
        seen_at = fields.DatetimeField(null=True)
        token = fields.UUIDField(default=uuid.uuid4)
        colour = fields.CharEnumField(Colour, default=Colour.GREEN)
        extra = fields.JSONField[Any](null=True)
        code = fields.CharField(max_length=64, null=True, unique=True)
        shelf = fields.CharField(max_length=64, null=True)
        place = fields.IntField(null=True)

        class Meta:
            app = label
            table = f"{label}_notes"
            unique_together = (("shelf", "place"),)

    class Token(Model):
        id = fields.UUIDField(primary_key=True)
        label = fields.CharField(max_length=200)

        class Meta:
            app = label
            table = f"{label}_tokens"

    class Author(Model):
        id = fields.IntField(primary_key=True)
        name = fields.CharField(max_length=200)
        country = fields.CharField(max_length=64, null=True)
        born = fields.DateField(null=True)
        mentor = fields.ForeignKeyField(
            f"{label}.Author", related_name="pupils", null=True, on_delete=fields.SET_NULL
        )

        class Meta:
            app = label
            table = f"{label}_authors"

    class Book(Model):
        id = fields.IntField(primary_key=True)
        title = fields.CharField(max_length=200)
        isbn = fields.CharField(max_length=64, null=True, unique=True)
        shelf = fields.CharField(max_length=64, null=True)
        place = fields.IntField(null=True)
        author = fields.ForeignKeyField(
            f"{label}.Author", related_name="books", null=True, on_delete=fields.NO_ACTION
        )
        price = fields.DecimalField(max_digits=15, decimal_places=4, null=True)
        pages = fields.IntField(null=True)
        version = fields.IntField(default=1)
        deleted_at = fields.DatetimeField(null=True)

        class Meta:
            app = label
            table = f"{label}_books"
            unique_together = (("shelf", "place"),)

    class Review(Model):
        id = fields.IntField(primary_key=True)
        book = fields.ForeignKeyField(f"{label}.Book", related_name="reviews", on_delete=fields.NO_ACTION)
        rating = fields.IntField()
        text = fields.CharField(max_length=200, null=True)

        class Meta:
            app = label
            table = f"{label}_reviews"

    class Loan(Model):
        id = fields.IntField(primary_key=True)
        book = fields.ForeignKeyField(f"{label}.Book", related_name=False)
        reader = fields.ForeignKeyField(
            f"{label}.Author", related_name=False, null=True, on_delete=fields.SET_NULL
        )
        deposit = fields.ForeignKeyField(
            f"{label}.Note", related_name=False, to_field="code", null=True, on_delete=fields.NO_ACTION
        )

        class Meta:
            app = label
            table = f"{label}_loans"

    return {
        "notes": Note,
        "tokens": Token,
        "authors": Author,
        "books": Book,
        "reviews": Review,
        "loans": Loan,
    }


def with_arrays(label: str) -> dict[str, type[Any]]:
    """Those, and one with a list of scalars."""

    class Label(Model):
        id = fields.IntField(primary_key=True)
        tags = ArrayField("text", null=True)

        class Meta:
            app = label
            table = f"{label}_labels"

    return {**family(label), "labels": Label}


ON_SQLITE = family("tortoise_on_sqlite")
ON_POSTGRES = with_arrays("tortoise_on_postgres")
ON_MARIADB = family("tortoise_on_mariadb")
