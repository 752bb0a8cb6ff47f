"""`relay --once` and the commands below `events`, on real outboxes, as an operator calls them."""

import asyncio
import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Field, SQLModel
from typer import Typer
from typer.testing import CliRunner, Result

from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.command_line.events import event_tasks_of
from fastapi_easy.container import Container, resource
from fastapi_easy.events import MessageDropped, MessageRetried
from fastapi_easy.interfaces.cli.events import app as events
from fastapi_easy.interfaces.cli.events import relay
from fastapi_easy.settings import Settings
from fastapi_easy.testing import RecordingEventBus
from tests.e2e.relayed import ListBroker, depot


class Drawer(SQLModel, table=True):
    __tablename__ = "unpublished_drawers"
    id: int | None = Field(default=None, primary_key=True)


class Silent(Container):
    drawers = resource(Drawer)


class Operator:
    """Calls the commands on one shop.

    Attributes:
        bus: What they were announced on.
    """

    def __init__(self, shop: Any) -> None:
        self.bus = RecordingEventBus()
        shop.event_bus.override(self.bus)
        tasks = event_tasks_of(lambda _: shop, nullcontext, lambda _: None)
        self._cli = Typer()
        relay.add_to(self._cli, lambda: tasks)
        events.add_to(self._cli, lambda: tasks)

    def call(self, *arguments: str) -> Result:
        return CliRunner().invoke(self._cli, list(arguments))

    def parked(self) -> list[Any]:
        listed = self.call("events", "dead", "list", "shop:app", "--json")
        assert listed.exit_code == 0
        found: list[Any] = json.loads(listed.stdout)
        return found


def fill(shop: Any) -> None:
    """Two parcels; the second is poisoned, and changed twice."""

    async def run() -> None:
        async with open_kernel(shop) as kernel:
            for label in ("fine", "broken"):
                (await kernel.parcels.create({"label": label})).unwrap()
            for label in ("mended", "sent"):
                (await kernel.parcels.update(2, {"label": label})).unwrap()

    asyncio.run(run())


@pytest.fixture
def broker() -> ListBroker:
    return ListBroker(poison="broken")


@pytest.fixture
def operator(broker: ListBroker, tmp_path: Path) -> Operator:
    shop = depot(f"sqlite:///{tmp_path / 'shop.sqlite3'}", broker)
    fill(shop)
    return Operator(shop)


def test_a_relay_that_runs_once_says_what_is_left(operator: Operator, broker: ListBroker) -> None:
    ran = operator.call("relay", "shop:app", "--once")

    assert (ran.exit_code, ran.stdout) == (1, "published 1, parked 1\n")
    assert ran.stderr.endswith("left: 0 waiting, 1 parked; see fastapi-easy events lag shop:app\n")
    assert [each[2] for each in broker.published] == ["fine"]


def test_a_relay_that_runs_once_tells_of_a_broker_that_is_away(
    operator: Operator, broker: ListBroker
) -> None:
    broker.is_away = True

    ran = operator.call("relay", "shop:app", "--once")

    assert (ran.exit_code, ran.stdout) == (1, "published 0, parked 0\n")
    assert ran.stderr.endswith("left: 4 waiting, 0 parked; see fastapi-easy events lag shop:app\n")


def test_lag_shows_what_waits_and_fails_when_something_is_parked(
    operator: Operator, broker: ListBroker
) -> None:
    before = operator.call("events", "lag", "shop:app")
    operator.call("relay", "shop:app", "--once")
    after = operator.call("events", "lag", "shop:app", "--json")

    assert before.exit_code == 0
    assert before.stdout.splitlines()[0].split() == [
        "DATABASE",
        "WAITING",
        "OLDEST",
        "PARKED",
        "BEHIND",
        "PARKED",
    ]
    assert before.stdout.splitlines()[1].split()[:2] == ["default", "4"]
    assert after.exit_code == 1
    assert json.loads(after.stdout) == {
        "default": {"waiting": 0, "oldest": 0.0, "parked": 1, "behind_parked": 2}
    }


def test_a_parked_message_is_listed_and_flows_after_a_retry(operator: Operator, broker: ListBroker) -> None:
    operator.call("relay", "shop:app", "--once")
    [dead] = operator.parked()
    shown = operator.call("events", "dead", "list", "shop:app")
    broker.poison = None
    retried = operator.call("events", "dead", "retry", "shop:app", dead["id"])
    ran = operator.call("relay", "shop:app", "--once")

    assert (dead["database"], dead["message"], dead["key"]) == ("default", "parcels.created", 2)
    assert (dead["attempts"], dead["behind"], dead["error"]) == (1, 2, "it is poisoned")
    assert dead["id"] in shown.stdout
    assert (retried.exit_code, retried.stdout) == (0, "1 to be published again.\n")
    assert (ran.exit_code, ran.stdout.splitlines()[-1]) == (0, "published 4, parked 1")
    assert [each[2] for each in broker.published] == ["fine", "broken", "mended", "sent"]
    assert operator.parked() == []
    [announced] = [each for each in operator.bus.events if isinstance(each, MessageRetried)]
    assert (announced.name, str(announced.key), announced.database) == (
        "outbox.retried",
        dead["id"],
        "default",
    )


def test_all_parked_messages_are_retried_at_once(operator: Operator, broker: ListBroker) -> None:
    operator.call("relay", "shop:app", "--once")

    retried = operator.call("events", "dead", "retry", "shop:app", "--all", "--json")
    again = operator.call("events", "dead", "retry", "shop:app", "--all", "--json")

    assert (json.loads(retried.stdout), json.loads(again.stdout)) == ({"retried": 1}, {"retried": 0})


def test_a_dropped_message_is_gone_and_what_waited_behind_it_flows(
    operator: Operator, broker: ListBroker
) -> None:
    operator.call("relay", "shop:app", "--once")
    [dead] = operator.parked()

    dropped = operator.call("events", "dead", "drop", "shop:app", dead["id"])
    again = operator.call("events", "dead", "drop", "shop:app", dead["id"])
    ran = operator.call("relay", "shop:app", "--once")

    assert (dropped.exit_code, dropped.stdout) == (0, f"{dead['id']} is never published.\n")
    assert (again.exit_code, again.stderr) == (
        1,
        f"no message with the id {dead['id']} is parked: see events dead list\n",
    )
    assert ran.exit_code == 0
    assert [each[2] for each in broker.published] == ["fine", "mended", "sent"]
    [announced] = [each for each in operator.bus.events if isinstance(each, MessageDropped)]
    assert (announced.name, str(announced.key)) == ("outbox.dropped", dead["id"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["retry", "shop:app"], "give the ID of a message, or --all", id="nothing to retry"),
        pytest.param(["retry", "shop:app", "x", "--all"], "give the ID of a message, or --all", id="both"),
        pytest.param(["drop", "shop:app", "x"], "an ID is a UUID, as dead list shows it", id="no id"),
    ],
)
def test_wrong_arguments_are_explained(broker: ListBroker, arguments: list[str], message: str) -> None:
    refused = Operator(depot("memory://", broker)).call("events", "dead", *arguments)

    assert refused.exit_code == 2
    assert message in refused.stderr


def test_an_application_without_events_is_refused(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {"databases": {"default": {"url": f"sqlite:///{tmp_path / 'it.sqlite3'}"}}}
    )

    refused = Operator(Silent(settings=settings)).call("relay", "shop:app")

    assert refused.exit_code == 2
    assert refused.stderr == "shop:app publishes nothing: declare a resource with events=True\n"


def test_an_outbox_in_memory_is_refused(broker: ListBroker) -> None:
    refused = Operator(depot("memory://", broker)).call("events", "lag", "shop:app")

    assert refused.exit_code == 2
    assert refused.stderr.startswith(
        "the outbox of default is in process memory and cannot be seen from another"
    )
