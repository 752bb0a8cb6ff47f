"""fastapi_easy, as its README writes it."""

from benchmarks.columns.tables import Item
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import QueryRules


class Bench(Container):
    """One resource."""

    items = resource(Item, query=QueryRules(max_limit=1000))


app = create_app(Bench())
