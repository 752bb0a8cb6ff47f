"""Run beside the folder `made`, which openapi-python-client has written: asks the shop at the address given."""

import json
import sys
from typing import Any

from made import Client
from made.api.authors import create_author
from made.api.books import (
    aggregate_books,
    bulk_books,
    count_books,
    create_book,
    export_books,
    get_book,
    import_books,
    list_books,
    search_books,
    update_book,
)
from made.api.orders import cancel_order, create_order
from made.models import (
    AuthorCreate,
    BookBulk,
    BookBulkItem,
    BookBulkItemDelete,
    BookCreate,
    BookFilter,
    BookSearch,
    BookSort,
    BookUpdate,
    CancelOrder,
    OrderCreate,
)
from made.types import File

client = Client(base_url=sys.argv[1], raise_on_unexpected_status=True)


def asked(module: Any, *arguments: Any, **named: Any) -> Any:
    """What an operation answers."""
    answer = module.sync_detailed(*arguments, client=client, **named)
    assert answer.status_code < 300, (module.__name__, answer.status_code, answer.content)
    return answer.parsed


author = asked(create_author, body=AuthorCreate(name="Generated"))
made = [
    asked(
        create_book,
        body=BookCreate(isbn=f"99900000{n:02}", title=f"G{n}", author_id=author.id, price=f"{n}.50"),
    )
    for n in range(25)
]
of_author = {"author_id": author.id}

assert [each.title for each in asked(list_books, title_contains="G2", **of_author).items] == [
    "G2",
    *(f"G2{n}" for n in range(5)),
]
assert len(asked(list_books, where=json.dumps({"price__lt": "3", **of_author})).items) == 3

walked: list[str] = []
page = asked(list_books, limit=10, sort=[BookSort("-price")], **of_author)
walked += [each.title for each in page.items]
while page.next_cursor:
    page = asked(list_books, limit=10, sort=[BookSort("-price")], cursor=page.next_cursor, **of_author)
    walked += [each.title for each in page.items]
assert walked == [f"G{n}" for n in reversed(range(25))]

where = BookFilter(author_id=author.id)
where["price__gt"] = "20"
assert len(asked(search_books, body=BookSearch(where=where)).items) == 5
assert asked(count_books, where=json.dumps(of_author)).count == 25
assert (
    asked(aggregate_books, where=json.dumps(of_author), total=["sum:price"]).items[0].totals["sum:price"]
    == "312.50"
)

changed = asked(update_book, made[0].id, body=BookUpdate(title="Changed"))
assert (changed.title, asked(get_book, made[0].id).title) == ("Changed", "Changed")

gone = BookBulk(items=[BookBulkItem(delete=BookBulkItemDelete(key=made[1].id))])
assert [each.status for each in asked(bulk_books, body=gone).results] == [204]

exported = export_books.sync_detailed(client=client, where=json.dumps(of_author)).content.decode()
assert len(exported.splitlines()) == 24

lines = json.dumps({"isbn": "9990000099", "title": "I", "author_id": author.id, "price": "1"}).encode()
report = asked(import_books, body=File(payload=lines))
assert (report.created, report.failed) == (1, 0)

order = asked(create_order, body=OrderCreate(customer="Generated"))
cancelled = cancel_order.sync_detailed(order.id, client=client, body=CancelOrder(reason="late"))
assert json.loads(cancelled.content)["status"] == "cancelled", cancelled
assert json.loads(cancel_order.sync_detailed(order.id, client=client).content)["status"] == "cancelled"
print("all asked")
