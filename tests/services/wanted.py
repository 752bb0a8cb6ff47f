"""A server for a test, which skips or fails without it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.services.obtain import obtain
from tests.services.scratch import drop_scratch_database, scratch_database
from tests.services.service import Service, Unavailable


def wanted(name: str) -> Service:
    """The server *name*; without it the running test is skipped, or fails where REQUIRE_SERVICES=1."""
    try:
        return obtain(name)
    except Unavailable as reason:
        sentence = str(reason)
    if required():
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


@contextmanager
def empty_database(name: str) -> Iterator[str]:
    """The URL of a database on the server *name* that nobody else uses, dropped at the end."""
    service = wanted(name)
    url = scratch_database(service)
    try:
        yield url
    finally:
        drop_scratch_database(service, url)


def required() -> bool:
    """Tell whether a missing server is a failure, as on CI, rather than a reason to skip."""
    return os.environ.get("REQUIRE_SERVICES") == "1"
