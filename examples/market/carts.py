"""What somebody is about to buy, as Tortoise models."""

from tortoise import fields
from tortoise.models import Model


class Cart(Model):
    """Belongs to one shopper."""

    id = fields.IntField(primary_key=True)
    shopper = fields.CharField(max_length=100)
    items: fields.ReverseRelation["Item"]

    class Meta:
        """How Tortoise keeps it."""

        table = "market_cart"


class Item(Model):
    """So many copies of one book; which book, the other database knows."""

    id = fields.IntField(primary_key=True)
    cart: fields.ForeignKeyRelation[Cart] = fields.ForeignKeyField("models.Cart", related_name="items")
    isbn = fields.CharField(max_length=20)
    copies = fields.IntField(default=1)

    class Meta:
        """How Tortoise keeps it."""

        table = "market_item"
