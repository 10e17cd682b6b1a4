"""The stores that a command works on: given by URL, or embedded in a directory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from barberpro.queue.trim import Kept
from barberpro.server.embedded import EmbeddedServices, StoreUrls
from barberpro.server.node import NodeOptions
from barberpro.server.settings import Settings, SettingsError


@asynccontextmanager
async def open_stores(settings: Settings) -> AsyncIterator[StoreUrls]:
    """The stores' URLs. Embedded ones are started, or found running, and stopped again by the last one out.

    Raises SettingsError when none are named, EmbeddedServicesError when they cannot be started.
    """
    if settings.embedded is not None:
        async with EmbeddedServices(settings.embedded) as urls:
            yield urls
    elif settings.database_url is not None and settings.redis_url is not None:
        yield StoreUrls(settings.database_url, settings.redis_url)
    else:
        raise SettingsError("no stores are named: give --embedded [DIR], or --database-url and --redis-url")


def kept(settings: Settings) -> Kept:
    return Kept(settings.keep_events_days, settings.keep_audit_days)


def node_options(settings: Settings, urls: StoreUrls) -> NodeOptions:
    return NodeOptions(
        database_url=urls.database_url,
        redis_url=urls.redis_url,
        prefix=settings.redis_prefix,
        shards=settings.shards,
        max_backlog=settings.max_backlog,
        pool_size=settings.pool_size,
        patience=settings.patience_seconds,
        kept=kept(settings),
    )
