"""A Tortoise model with the indexes that only PostgreSQL has."""

from pypika_tortoise.functions import Lower
from pypika_tortoise.terms import Field
from tortoise import Model, fields
from tortoise.contrib.postgres.indexes import GinIndex, HashIndex
from tortoise.indexes import Index, PartialIndex


class IndexedPlant(Model):
    """What grows, and is found."""

    id = fields.BigIntField(primary_key=True)
    extra = fields.JSONField[dict[str, str]]()
    name = fields.CharField(max_length=40)
    height = fields.IntField()

    class Meta:
        table = "indexed_plants"
        indexes = (
            GinIndex(fields=("extra",)),
            HashIndex(fields=("name",), name="ix_hash"),
            PartialIndex(fields=("height",), condition={"name": "oak"}, name="ix_oak"),
            Index(Lower(Field("name")), name="ix_lower_name"),
        )
