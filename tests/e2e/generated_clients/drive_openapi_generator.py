"""Run beside the folder `openapi_client`, which openapi-generator has written: asks the shop at the address given."""

import json
import sys

from openapi_client import ApiClient, AuthorsApi, BooksApi, Configuration, OrdersApi
from openapi_client.models import (
    AuthorCreate,
    BookCreate,
    BookCreatePrice,
    BookUpdate,
    CancelOrder,
    OrderCreate,
)

client = ApiClient(Configuration(host=sys.argv[1]))
authors, books, orders = AuthorsApi(client), BooksApi(client), OrdersApi(client)

author = authors.create_author(AuthorCreate(name="Generated"))
made = [
    books.create_book(
        BookCreate.model_validate(
            {
                "isbn": f"99900000{n:02}",
                "title": f"G{n}",
                "author_id": author.id,
                # Its class for a choice of types.
                "price": BookCreatePrice(f"{n}.50"),
            }
        )
    )
    for n in range(25)
]
walked = []
page = books.list_books(author_id=author.id, limit=10, sort=["-price"])
walked += [each.title for each in page.items]
while page.next_cursor:
    page = books.list_books(author_id=author.id, limit=10, sort=["-price"], cursor=page.next_cursor)
    walked += [each.title for each in page.items]
assert walked == [f"G{n}" for n in reversed(range(25))]

where = json.dumps({"author_id": author.id, "price__lt": "3"})
assert books.count_books(where=where).count == 3
assert books.update_book(made[0].id, book_update=BookUpdate(title="Changed")).title == "Changed"
# It reads no NDJSON, unless told to read nothing.
assert len(books.export_books(where=where, var_as="csv").splitlines()) == 4

order = orders.create_order(OrderCreate(customer="Generated"))
assert orders.cancel_order(order.id, cancel_order=CancelOrder(reason="late"))["status"] == "cancelled"
print("all asked")
