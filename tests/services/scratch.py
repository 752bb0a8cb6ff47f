"""A database of one's own on a server that others use too."""

from uuid import uuid4

from tests.services.obtain import RECIPES
from tests.services.service import Service

_made: dict[str, str] = {}
"""The URL of every scratch database made by this process, and its name."""


def scratch_database(service: Service) -> str:
    """Make an empty database with a name nobody else has, and return its URL.

    Redis gives one of its numbered databases; NATS has none, so its streams need unique names.
    """
    name = f"fastapi_easy_test_{uuid4().hex[:16]}"
    url = RECIPES[service.name].create(service.url, name)
    _made[url] = name
    return url


def drop_scratch_database(service: Service, url: str) -> None:
    """Drop the database that `scratch_database` made; a URL from elsewhere is left alone."""
    if url in _made:
        RECIPES[service.name].drop(service.url, _made.pop(url))
