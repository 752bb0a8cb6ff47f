"""Scripts that are written for changes of any kind: what they say leads where the comparison would."""

import asyncio
import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import MetaData, text

from fastapi_easy.domain.migrations.hints import Hints
from tests.conformance.relational_schemas import through
from tests.e2e.migration_steps import mysql_cases, postgres_cases
from tests.e2e.migration_steps.cases import Case
from tests.e2e.scripted import ANYTHING, DRIVERS, Scripted, well
from tests.thorough import one_in

SERVERS = {"postgres": postgres_cases.CASES, "mariadb": mysql_cases.CASES}
POSTGRES = (
    "a new table with everything",
    "dropped tables in a circle",
    "an enumeration instead of a text",
    "a label less",
    "another default",
    "names that need quotes",
)
MARIADB = (
    "new tables in a circle",
    "dropped tables in a circle",
    "defaults",
    "another index of the same name",
    "many things at once",
)
CHOSEN = [*(("postgres", each) for each in POSTGRES), *(("mariadb", each) for each in MARIADB)]
ALL = Hints(drop_undeclared=True)
START = """
revision = "000"
down_revision = None


def upgrade():
    pass


def downgrade():
    pass
"""


@pytest_asyncio.fixture
async def shop_of(request, tmp_path):
    """Prepares the database that a case begins with."""
    opened = []

    async def prepare(server: str, case: Case) -> Scripted:
        url = through(request.getfixturevalue(f"{server}_url"), DRIVERS[server])
        shop = Scripted(url, tmp_path / "migrations")
        opened.append(shop)
        await shop.empty()
        shop.use_alembic()
        (tmp_path / "migrations/versions/000_start.py").write_text(START)

        def fill(sync) -> None:
            metadata = MetaData()
            case.before(metadata)
            metadata.create_all(sync)
            for each in case.rows:
                sync.execute(text(each.replace(":", "\\:")))

        await shop.on_connection(fill)
        migrations = shop.program(case.before)
        adopting = migrations.apply if well(await migrations.status()).is_empty else migrations.baseline
        well(await adopting())
        return shop

    yield prepare
    for each in opened:
        await each.empty()
        await each.close()


async def made(shop: Scripted, case: Case) -> Path:
    """The script that leads to what *case* declares."""
    hints = dataclasses.replace(case.hints, drop_undeclared=True)
    return Path(well(await shop.program(case.after).make("change", hints)))


async def left(shop: Scripted, declare: Callable[[MetaData], object]) -> tuple[object, ...]:
    """What *declare* declares and the database does not have, after all scripts."""
    status = well(await shop.program(declare).status(ALL))
    unwritten = [each for each in status.drift if each.startswith("the scripts do not lead")]
    return (*unwritten, *status.pending.steps, *filter(None, [status.problem]))


@pytest.mark.parametrize(("server", "name"), one_in(2, CHOSEN), ids=str)
async def test_a_script_says_everything_that_its_plan_does(shop_of, server, name):
    case = SERVERS[server][name]
    shop = await shop_of(server, case)
    script = await made(shop, case)
    next(script.parent.glob("*.plan.json")).unlink()

    run = well(await shop.program(case.after).apply(approvals=ANYTHING))

    assert (run.source, await left(shop, case.after)) == ("files", ())


@pytest.mark.parametrize(("server", "name"), one_in(2, CHOSEN, 1), ids=str)
async def test_alembic_goes_there_and_back(shop_of, server, name):
    case = SERVERS[server][name]
    shop = await shop_of(server, case)
    script = await made(shop, case)

    await asyncio.to_thread(shop.alembic, "upgrade", "head")
    assert await left(shop, case.after) == ()
    await asyncio.to_thread(shop.alembic, "downgrade", "000")

    script.unlink()
    next(script.parent.glob("*.plan.json")).unlink()
    assert await left(shop, case.before) == ()
