"""A Tortoise model with rules and indexes that every server has."""

from tortoise import Model, fields
from tortoise.indexes import Index


class Plant(Model):
    """What grows; Tortoise makes this a comment on the table."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=40, unique=True, description="What it is called")
    height = fields.IntField(db_index=True, db_default=3)
    price = fields.DecimalField(max_digits=8, decimal_places=2, null=True)
    planted = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "plants"
        indexes = (("height", "price"), Index(fields=("price",), name="ix_price"))
        unique_together = (("height", "planted"),)
