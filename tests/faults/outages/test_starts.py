"""A program whose database URL is wrong does not start, and says why in one sentence, without the secret."""

from pathlib import Path
from typing import Final

import pytest

from fastapi_easy.bootstrap import open_kernel
from tests.faults.outages.accounts import STORES, account_on
from tests.faults.outages.parcels import post_at
from tests.faults.outages.starts import CAUSES, started, wrong_url
from tests.thorough import only_when_thorough

SAYS: Final = {
    ("postgresql", "password"): "refuses this program: ",
    ("postgresql", "database"): 'database "nosuchdatabase" does not exist',
    ("postgresql", "TLS"): "SSL",
    ("mysql", "password"): "refuses this program: Access denied for user",
    ("mysql", "database"): "to database 'nosuchdatabase'",
    ("mongodb", "password"): "refuses this program: Authentication failed",
    ("mongodb", "database"): "refuses this program: Authentication failed",
}


QUICK: Final = ("password", "database")
"""What drivers of MongoDB find out at once; all else they look into for seconds."""


@pytest.mark.parametrize(
    ("driver", "causes"),
    [
        pytest.param("postgresql+asyncpg", CAUSES, id="asyncpg"),
        pytest.param("postgresql+psycopg", CAUSES, id="psycopg"),
        pytest.param("mysql+asyncmy", CAUSES, id="asyncmy"),
        pytest.param("mysql+aiomysql", CAUSES, id="aiomysql"),
        pytest.param("mongodb", QUICK, id="PyMongo"),
        pytest.param("mongodb+motor", QUICK, id="Motor"),
        pytest.param("mongodb", CAUSES, id="PyMongo, all", marks=only_when_thorough),
        pytest.param("mongodb+motor", CAUSES, id="Motor, all", marks=only_when_thorough),
    ],
)
async def test_the_kernel_says_why_it_does_not_open(driver: str, causes: tuple[str, ...]) -> None:
    scheme = driver.partition("+")[0]
    with account_on(STORES[scheme]) as account:
        for cause in causes:
            with pytest.raises(ConnectionError) as refused:
                async with open_kernel(post_at(wrong_url(account, driver, cause))):
                    pass

            said = str(refused.value)
            assert said.startswith("database 'default' (")
            assert said.endswith("; the setting databases.default.url says where it is")
            assert SAYS.get((scheme, cause), "does not answer: ") in said
            assert "\n" not in said
            assert "secret" not in said


@pytest.mark.parametrize(
    ("driver", "command", "tortoise"),
    [
        pytest.param("postgresql+asyncpg", (), True, id="run, Tortoise"),
        pytest.param("mysql+asyncmy", ("migrate", "plan", "crates:app"), False, id="migrate, SQLModel"),
    ],
)
def test_a_command_says_why_it_ends(
    driver: str, command: tuple[str, ...], tortoise: bool, tmp_path: Path
) -> None:
    with account_on(STORES[driver.partition("+")[0]]) as account:
        ended = started(tmp_path, wrong_url(account, driver, "password"), *command, tortoise=tortoise)

    assert ended.is_clear, ended.said
    assert "refuses" in ended.said
