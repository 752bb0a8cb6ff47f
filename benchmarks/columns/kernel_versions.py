"""fastapi_easy with a version that counts: `ETag` on every answer, `If-Match` on every change."""

from benchmarks.columns.tables import VersionedItem
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource


class Bench(Container):
    """One resource with versions."""

    items = resource(VersionedItem, version="version")


app = create_app(Bench())
