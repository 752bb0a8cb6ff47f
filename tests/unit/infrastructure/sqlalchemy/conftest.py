"""The servers that the tests of this folder ask."""

from typing import Any

import pytest

from tests.unit.infrastructure.sqlalchemy.relational import SERVERS


@pytest.fixture(params=SERVERS)
def url(request: pytest.FixtureRequest) -> str:
    """The address of a database on each kind of server."""
    if request.param == "sqlite":
        return "sqlite://"
    found: Any = request.getfixturevalue(f"{request.param}_url")
    return str(found)
