"""The relay of an application: what it does, and its place in the lifespan."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, Final

from fastapi_easy.application.events.relay import Relay
from fastapi_easy.application.events.relay_figures import RelayFigures
from fastapi_easy.application.events.relay_task import RelayTask, ScheduledTask
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.audit.trail import is_audited
from fastapi_easy.domain.ports import Broker, Outbox, OutboxArchive
from fastapi_easy.settings import EventSettings

__all__ = ["relay_factory", "running_relay", "woken_relay"]

_AUDIT_INTERVAL: Final = 1.0
_LONGEST_AUDIT_INTERVAL: Final = 5.0
"""Seconds between two looks for checkpoints that are due."""

_RETENTION_INTERVAL: Final = 60.0
"""Seconds between two looks for what has expired."""


def relay_factory(application: Application) -> Callable[[], Relay]:
    """Return what makes relays of *application*: one runs once. Whoever runs it opens everything else."""
    return partial(_make_relay, application)


def _make_relay(application: Application) -> Relay:
    settings = application.settings().events
    broker = application.broker()
    tasks: list[ScheduledTask] = []
    for database, outbox in application.outboxes().items():
        tasks += _tasks_for(application, settings, broker, database, outbox)
    others = [*_webhook_tasks(application), *application.relay_tasks()]
    tasks += [_often(settings, each) for each in others]
    tasks += [
        ScheduledTask(
            task=each, interval=_AUDIT_INTERVAL, longest_interval=_LONGEST_AUDIT_INTERVAL, is_woken=False
        )
        for each in _audit_tasks(application)
    ]
    return Relay(tasks, grace=settings.relay_grace)


def _tasks_for(
    application: Application, settings: EventSettings, broker: Broker | None, database: str, outbox: Outbox
) -> Iterator[ScheduledTask]:
    # Imported by those who run a relay.
    from fastapi_easy.application.events.assign_positions import AssignPositions
    from fastapi_easy.application.events.publish_messages import PublishMessages
    from fastapi_easy.application.events.remove_expired import RemoveExpiredMessages

    figures = application.relay_figures.setdefault(database, RelayFigures())
    clock = application.clock()
    often: list[RelayTask] = [AssignPositions(database, outbox)]
    if broker is not None:
        publishing = PublishMessages(
            database,
            outbox,
            broker,
            application.envelope().to_broker_message,
            clock,
            limits=_limits(settings),
            figures=figures,
        )
        often.insert(0, publishing)
    yield from (_often(settings, each) for each in often)
    retention = RemoveExpiredMessages(
        database,
        outbox,
        clock,
        retention=settings.retention,
        published=broker is not None,
        archive=_open_archive(settings),
        figures=figures,
    )
    yield ScheduledTask(
        task=retention, interval=_RETENTION_INTERVAL, longest_interval=_RETENTION_INTERVAL, is_woken=False
    )


def _webhook_tasks(application: Application) -> Sequence[RelayTask]:
    if not application.settings().webhooks.enabled:
        return ()
    from fastapi_easy.composition.events.webhooks import delivery_tasks

    return delivery_tasks(application)


def _audit_tasks(application: Application) -> Sequence[RelayTask]:
    if not application.settings().audit.checkpoints.signing_keys or not is_audited(
        application.declarations.values()
    ):
        return ()
    from fastapi_easy.composition.audit.checkpoints import checkpoint_tasks

    return checkpoint_tasks(application)


def _often(settings: EventSettings, task: RelayTask) -> ScheduledTask:
    return ScheduledTask(
        task=task, interval=settings.poll_interval, longest_interval=settings.idle_poll_interval
    )


def _limits(settings: EventSettings) -> Any:
    from fastapi_easy.application.events.backoff import Backoff
    from fastapi_easy.application.events.publish_messages import PublishLimits

    return PublishLimits(
        batch=settings.batch,
        concurrency=settings.concurrency,
        timeout=settings.publish_timeout,
        lease=settings.lease,
        max_attempts=settings.max_attempts,
        backoff=Backoff(first=settings.first_retry, longest=settings.longest_retry),
    )


def _open_archive(settings: EventSettings) -> OutboxArchive | None:
    if settings.archive is None:
        return None
    from fastapi_easy.infrastructure.outbox.archive import FileArchive

    return FileArchive(settings.archive)


@contextmanager
def woken_relay(application: Application) -> Iterator[Relay]:
    """Return a relay that looks at once after each commit that it hears of, while the block runs."""
    relay = application.relay()
    ends = [each.subscribe(relay.wake) for each in application.wake_ups().values()]
    try:
        yield relay
    finally:
        for end in ends:
            end()


@asynccontextmanager
async def running_relay(application: Application) -> AsyncIterator[None]:
    """Run a relay beside the block where the settings say `embedded`."""
    if application.settings().events.relay == "off":
        yield
        return
    broker = application.broker()
    try:
        with woken_relay(application) as relay:
            async with relay.running():
                yield
    finally:
        if broker is not None:
            await broker.close()
