"""Which columns and endpoints there are."""

from dataclasses import dataclass
from typing import Any, Final

from benchmarks.postgres import PLAIN, VERSIONED

PAGE: Final = "/items?owner_id=%d&limit=100&count=exact"
"""The path of a page of 100 rows and their total, with the owner left open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One way to write the API.

    Attributes:
        letter: Its name on the command line and in the tables.

        title: What it is, in a few words.

        target: The module with its `app`.

        table: Where its rows are.

        list: The path of a page of 100 rows and their total, with `%d` for the owner.

        items, total: What the members of that page are called.

        patch: How it is asked to change an item: a name in `requests.lua`.
    """

    letter: str
    title: str
    target: str
    table: str = PLAIN
    list: str = PAGE
    items: str = "items"
    total: str = "total"
    patch: str = "patch"

    def page(self, document: Any) -> dict[str, Any]:
        """The page that it answered, as the others would name its members."""
        return {"items": document.get(self.items), "total": document.get(self.total)}


COLUMNS: Final = {
    each.letter: each
    for each in (
        Column(letter="a", title="by hand, as documented", target="benchmarks.columns.by_hand:app"),
        Column(letter="b", title="by hand, tuned", target="benchmarks.columns.tuned:app"),
        Column(
            letter="c", title="the limit: Starlette, asyncpg, orjson", target="benchmarks.columns.limit:app"
        ),
        Column(
            letter="d",
            title="FastCRUD",
            target="benchmarks.columns.fastcrud:app",
            list="/items?owner_id=%d&page=1&itemsPerPage=100",
            items="data",
            total="total_count",
        ),
        Column(
            letter="f",
            title="by hand, with what fastapi_easy does by default",
            target="benchmarks.columns.by_hand_alike:app",
        ),
        Column(letter="e", title="fastapi_easy", target="benchmarks.columns.kernel:app"),
        Column(
            letter="v",
            title="fastapi_easy with versions",
            target="benchmarks.columns.kernel_versions:app",
            table=VERSIONED,
            patch="patch_if_match",
        ),
    )
}

HAND: Final = "a"
ALIKE: Final = "f"
LIMIT: Final = "c"
KERNEL: Final = "e"
VERSIONS: Final = "v"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Something to ask for.

    Attributes:
        name: On the command line.

        title: In the tables.

        writes: The rows have to be put back.
    """

    name: str
    title: str
    writes: bool = False


ENDPOINTS: Final = {
    each.name: each
    for each in (
        Endpoint("get", "get by key"),
        Endpoint("list", "list 100 rows + total"),
        Endpoint("create", "create", writes=True),
        Endpoint("patch", "patch", writes=True),
    )
}
