"""What an application publishes and consumes is described in AsyncAPI, and its messages are as described."""

import datetime
import json
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final

import httpx2
import jsonschema_rs
import pytest
import yaml
from sqlmodel import Field, SQLModel

from fastapi_easy.__main__ import main
from fastapi_easy.bootstrap import create_app
from fastapi_easy.composition.events.asyncapi import describe_messages
from fastapi_easy.container import Container, resource
from fastapi_easy.domain.ports import Accept, Delivery, Handling, Subscription
from fastapi_easy.domain.resources.options import Fields
from fastapi_easy.domain.resources.recording import Events
from fastapi_easy.messaging import consume
from fastapi_easy.settings import Settings
from fastapi_easy.testing.conformance.brokers import until

ASYNCAPI: Final = {
    "type": "object",
    "required": ["asyncapi", "info", "channels", "operations", "components"],
    "additionalProperties": False,
    "properties": {
        "asyncapi": {"const": "3.0.0"},
        "info": {"required": ["title", "version"]},
        "defaultContentType": {"type": "string"},
        "servers": {"additionalProperties": {"required": ["host", "protocol"]}},
        "channels": {
            "additionalProperties": {
                "required": ["address", "messages"],
                "properties": {
                    "messages": {
                        "propertyNames": {"pattern": r"^[\w.-]+$"},
                        "additionalProperties": {"required": ["$ref"]},
                    }
                },
            }
        },
        "operations": {
            "propertyNames": {"pattern": r"^[\w.-]+$"},
            "additionalProperties": {
                "required": ["action", "channel", "messages"],
                "additionalProperties": False,
                "properties": {
                    "action": {"enum": ["send", "receive"]},
                    "channel": {"required": ["$ref"]},
                    "messages": {"type": "array", "items": {"required": ["$ref"]}},
                    "summary": {"type": "string"},
                },
            },
        },
        "components": {
            "additionalProperties": False,
            "properties": {
                "schemas": {"propertyNames": {"pattern": r"^[\w.-]+$"}},
                "messages": {
                    "propertyNames": {"pattern": r"^[\w.-]+$"},
                    "additionalProperties": {
                        "required": ["name", "contentType", "payload"],
                        "additionalProperties": False,
                        "properties": {
                            "name": {"type": "string"},
                            "contentType": {"type": "string"},
                            "payload": {"type": "object"},
                            "correlationId": {"required": ["location"]},
                        },
                    },
                },
            },
        },
    },
}
"""What AsyncAPI 3.0 asks of the parts that we use, in our words: its own schema has 300 kB."""


class Film(SQLModel, table=True):
    __tablename__: ClassVar[Any] = "asyncapi_films"
    id: int | None = Field(default=None, primary_key=True)
    title: str
    price: Decimal | None = Field(default=None, max_digits=10, decimal_places=2)
    length: datetime.timedelta = datetime.timedelta(minutes=90)
    seen_at: datetime.datetime | None = None
    margin: int = 0


class Seat(SQLModel, table=True):
    __tablename__: ClassVar[Any] = "asyncapi_seats"
    row: int = Field(primary_key=True)
    number: int = Field(primary_key=True)


class Cinema(Container):
    films = resource(Film, events=Events(before=True), fields=Fields(hidden=["margin"]))
    seats = resource(Seat, events=Events(verbs=["deleted"]))
    consumers = (
        consume("films.order", command="films.create"),
        consume("films.change", command="films.update"),
        consume("films.remove", command="films.delete"),
    )


class Quiet(Container):
    films = resource(Film)


def settings(**events: object) -> Settings:
    return Settings.model_validate(
        {"databases": {"default": {"url": "memory://"}}, "http": {"title": "cinema"}, "events": events}
    )


@pytest.fixture
def document() -> Mapping[str, Any]:
    shop: Any = Cinema(
        settings=settings(broker_url="nats://user:secret@one:4222,two:4222", topic_prefix="eu.")
    )
    return describe_messages(shop)


def test_each_kind_of_event_and_each_topic_of_a_consumer_is_a_channel(document: Mapping[str, Any]) -> None:
    assert {
        (operation["action"], document["channels"][operation["channel"]["$ref"].split("/")[-1]]["address"])
        for operation in document["operations"].values()
    } == {
        ("send", "eu.films.created"),
        ("send", "eu.films.updated"),
        ("send", "eu.films.deleted"),
        ("send", "eu.seats.deleted"),
        ("receive", "films.order"),
        ("receive", "films.change"),
        ("receive", "films.remove"),
    }


def test_all_kinds_of_events_of_a_resource_may_have_one_channel() -> None:
    shop: Any = Cinema(settings=settings(broker_url="nats://one:4222", topics="resource"))

    document = describe_messages(shop)

    messages = {"FilmsCreated", "FilmsUpdated", "FilmsDeleted"}
    assert document["channels"]["films"]["messages"].keys() == messages
    sent = document["operations"]["send.films"]["messages"]
    assert {each["$ref"].rsplit("/", 1)[-1] for each in sent} == messages


def test_the_document_has_the_shape_that_asyncapi_3_asks_for(document: Mapping[str, Any]) -> None:
    validate(document, ASYNCAPI)
    for reference in _references(document):
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        assert isinstance(found, dict)


def test_it_names_the_broker_without_its_credentials(document: Mapping[str, Any]) -> None:
    assert document["servers"] == {"broker": {"host": "one:4222,two:4222", "protocol": "nats"}}
    assert "secret" not in json.dumps(document)


def test_hidden_fields_are_not_mentioned(document: Mapping[str, Any]) -> None:
    events = {
        name: each for name, each in document["components"]["schemas"].items() if name.startswith("Films")
    }

    assert "margin" not in json.dumps(
        {name: each for name, each in events.items() if "Order" not in name and "Change" not in name}
    )
    assert document["components"]["schemas"]["SeatsKey"]["minItems"] == 2


async def test_what_is_published_and_what_is_consumed_is_as_described(document: Mapping[str, Any]) -> None:
    cinema: Any = Cinema(
        settings=settings(broker_url="memory://", topic_prefix="eu.", relay="embedded", consume="embedded")
    )
    published: list[dict[str, Any]] = []

    async def keep(delivery: Delivery) -> Handling:
        published.append(json.loads(delivery.message.body))
        return Accept()

    app = create_app(cinema)
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://cinema.test")
    async with app.router.lifespan_context(app), client:
        for verb in ("created", "updated", "deleted"):
            _ = await cinema.broker().subscribe(
                Subscription(consumer="test", topic=f"eu.films.{verb}", handle=keep)
            )
        film = (
            await client.post(
                "/films", json={"title": "Emma", "price": "9.50", "seen_at": "2026-07-31T12:00:00Z"}
            )
        ).json()
        _ = await client.patch(f"/films/{film['id']}", json={"price": None})
        _ = await client.delete(f"/films/{film['id']}")
        await until(lambda: len(published) == 3)

    assert sorted(each["type"] for each in published) == ["films.created", "films.deleted", "films.updated"]
    for event in published:
        name = "Films" + event["type"].rpartition(".")[2].capitalize()
        validate(event, {**document["components"]["schemas"][name], "components": document["components"]})
    first = next(each for each in published if each["type"] == "films.created")
    assert first["data"]["values"]["length"] == 5_400_000_000
    with pytest.raises(jsonschema_rs.ValidationError):
        validate(
            {**first, "data": {**first["data"], "values": {}}},
            {**document["components"]["schemas"]["FilmsCreated"], "components": document["components"]},
        )


def test_a_message_for_a_command_is_the_body_of_the_operation(document: Mapping[str, Any]) -> None:
    def described(topic: str) -> dict[str, Any]:
        (message,) = document["channels"][topic]["messages"]
        return {
            **document["components"]["messages"][message]["payload"],
            "components": document["components"],
        }

    validate({"title": "Emma"}, described("films.order"))
    validate({"key": 1, "values": {"title": "Emma"}}, described("films.change"))
    validate({"key": 1}, described("films.remove"))
    for topic, wrong in (
        ("films.order", {}),
        ("films.change", {"key": 1}),
        ("films.remove", {"key": 1, "all": True}),
    ):
        with pytest.raises(jsonschema_rs.ValidationError):
            validate(wrong, described(topic))


async def test_it_is_a_page_of_the_application_where_there_are_docs_and_messages() -> None:
    async def fetch(container: Any) -> tuple[int, dict[str, Any]]:
        app = create_app(container)
        client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://cinema.test")
        async with app.router.lifespan_context(app), client:
            page, index = await client.get("/asyncapi.json"), await client.get("/")
            assert ("asyncapi" in index.json()) is (page.status_code == 200)
            return page.status_code, page.json()

    status, document = await fetch(Cinema(settings=settings()))
    assert (status, document["asyncapi"], document["info"]["title"]) == (200, "3.0.0", "cinema")
    assert "servers" not in document
    assert (await fetch(Quiet(settings=settings())))[0] == 404
    undocumented = settings().model_copy(update={"http": settings().http.model_copy(update={"docs": False})})
    assert (await fetch(Cinema(settings=undocumented)))[0] == 404


@pytest.mark.parametrize(("option", "read"), [("--json", json.loads), ("--yaml", yaml.safe_load)])
def test_the_command_line_prints_it(option: str, read: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_command("asyncapi", f"{__name__}:Cinema", option)

    assert ended.value.code == 0
    assert "films.created" in read(capsys.readouterr().out)["channels"]


def test_the_command_line_says_when_there_is_nothing_to_describe(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_command("asyncapi", f"{__name__}:Quiet")

    assert ended.value.code == 2
    assert "events=True" in capsys.readouterr().err


def validate(instance: Any, schema: Any) -> None:
    """Check *instance*.

    Raises:
        ValidationError: It is not as *schema* says.
    """
    jsonschema_rs.validate(schema, instance)


def run_command(*arguments: str) -> None:
    """Run the program in this process.

    Raises:
        SystemExit: Always.
    """
    before, sys.argv = sys.argv, ["fastapi-easy", *arguments]
    try:
        main()
    finally:
        sys.argv = before


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            if name == "$ref":
                yield each
            else:
                yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)
