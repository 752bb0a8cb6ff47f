"""The declarations."""

from examples.bookshop.actions import CancelOrder, ShipOrder
from examples.bookshop.models import Author, Book, Order, OrderLine
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Fields, QueryRules


class Bookshop(Container):
    """Everything the shop offers."""

    authors = resource(Author, query=QueryRules(search=["name"], order=["name"]))
    books = resource(
        Book,
        fields=Fields(hidden=["supplier_note"], create_only=["isbn"]),
        query=QueryRules(search=["title", "isbn"], limit=10),
    )
    orders = resource(Order, actions=[CancelOrder, ShipOrder], query=QueryRules(order=["-placed_at"]))
    order_lines = resource(OrderLine)
