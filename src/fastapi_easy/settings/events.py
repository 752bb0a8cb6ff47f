"""Where events go."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from fastapi_easy.settings.relay import RelaySettings
from fastapi_easy.settings.section import Seconds, Section


class FeedSettings(Section):
    """The change feed of resources that are declared with `events`.

    Attributes:
        interval: Seconds between two polls of each process while somebody listens; its own changes are seen at once.

        buffer: Changes that wait for one listener at most; one that is slower is cut off, and can resume.

        recent: Changes that each process keeps in memory, so that listeners who resume cost no statement.

        recheck: Seconds after which it is asked again whether a listener may still listen.

        lifetime: Seconds after which a listener has to connect again, with credentials that are verified anew.
    """

    interval: Seconds = 0.5
    buffer: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    recent: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    recheck: Seconds = 30.0
    lifetime: Seconds = 900.0


class EventSettings(RelaySettings):
    """Events of resources that are declared with `events`, and the relay that publishes them.

    Attributes:
        broker_url: `nats://…`, `redis://…`, `amqp://…`, `kafka://…`, or `memory://` within one process; unset, there
            is no broker.

        topic_prefix: In front of `books.created`, to make the topic.

        topics: One topic for each kind of event, `books.created` (`event`), or one for each resource, `books`
            (`resource`): then brokers keep the order of everything that happens to an entity.

        source: The `source` of every CloudEvent; unset, `/` and `http.title`.

        stream: The name of the stream, on NATS, and of the exchange, on RabbitMQ.

        partitions: Parts of each topic on NATS, Redis and RabbitMQ, which are consumed at the same time; messages of
            one entity are in the same part. Only ever to be raised.

        broker_retention: Seconds for which a stream of NATS or Redis keeps messages, whether they were consumed or
            not, and RabbitMQ those that nobody has subscribed to.

        consume: Whether a server handles messages beside requests (`embedded`), or only `fastapi-easy consume` does.

        notify: On PostgreSQL, processes tell one another of commits with NOTIFY, at most every 50 ms, so that relays
            and change feeds of other processes look at once. Each that waits for messages has one more connection.

        feed: The change feed.
    """

    broker_url: SecretStr | None = None
    topic_prefix: Annotated[str, Field(pattern=r"^([A-Za-z0-9_-]+\.)*$", max_length=60)] = ""
    topics: Literal["event", "resource"] = "event"
    source: Annotated[str, Field(min_length=1)] | None = None
    stream: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=100)] = "fastapi_easy"
    partitions: Annotated[int, Field(ge=1, le=64)] = 1
    broker_retention: Seconds = 604_800.0
    consume: Literal["embedded", "off"] = "off"
    notify: bool = False
    feed: FeedSettings = FeedSettings()
