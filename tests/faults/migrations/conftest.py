"""An empty database on each relational server."""

import pytest
import pytest_asyncio

from tests.faults.migrations.places import Place, place_of


@pytest_asyncio.fixture(params=["asyncpg", "aiomysql", "aiosqlite"])
async def place(request: pytest.FixtureRequest, tmp_path) -> Place:
    return await place_of(request.param, request, tmp_path)
