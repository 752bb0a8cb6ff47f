"""The change feeds of an application: one hub for each database with published changes."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from dependency_injector import providers

from fastapi_easy.application.changes_feed.feed_options import FeedOptions
from fastapi_easy.application.changes_feed.hub import ChangeHub
from fastapi_easy.application.changes_feed.polled_feed import PolledFeed
from fastapi_easy.application.events.wake_ups import WakeUps
from fastapi_easy.composition.application import Application, Feeds
from fastapi_easy.composition.memoized import Memoized, MemoizedDelegate
from fastapi_easy.domain.ports import Outbox
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.settings import Settings

__all__ = ["opened_feeds", "wire_feeds"]


def wire_feeds(
    application: Application, all_resources: providers.Provider[Mapping[str, Resource[Any]]]
) -> Mapping[str, MemoizedDelegate]:
    """Return what returns the feed of each database in which changes are published, by its name."""
    publishing = {each.database for each in application.declarations.values() if each.events}
    if publishing:
        application.feeds = Feeds()
    return {
        name: MemoizedDelegate(
            Memoized(
                _open_feed,
                application.outboxes,
                all_resources,
                application.wake_ups,
                application.settings,
                feeds=application.feeds,
                database=name,
            )
        )
        for name in sorted(publishing)
    }


@asynccontextmanager
async def opened_feeds(application: Application) -> AsyncIterator[None]:
    """End every feed at the end, while the databases still stand."""
    feeds = application.feeds
    if feeds is None:
        yield
        return
    feeds.open(asyncio.get_running_loop())
    try:
        yield
    finally:
        await feeds.stop()


def _open_feed(
    outboxes: Mapping[str, Outbox],
    resources: Mapping[str, Resource[Any]],
    wake_ups: Mapping[str, WakeUps],
    settings: Settings,
    *,
    feeds: Feeds,
    database: str,
) -> PolledFeed:
    published = {
        name: each
        for name, each in resources.items()
        if each.database == database and each.events is not None
    }
    options = FeedOptions(**settings.events.feed.model_dump())
    return PolledFeed(feeds.add(ChangeHub(outboxes[database], published, wake_ups[database], options)))
