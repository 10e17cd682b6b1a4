"""The part of a server that works in the background: it sends letters, makes reports, and tidies up.

Its transports by the settings, its jobs, its figures.
"""

import ssl
from collections.abc import Iterator, Mapping
from typing import Any, Final, Self

import structlog
from asyncpg import Pool
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from barberpro.domain import exports
from barberpro.domain.delivery import Deliverer, Transport
from barberpro.domain.exports import Exporter
from barberpro.domain.jobs import Jobs, Regular
from barberpro.domain.outbox import JOB
from barberpro.server.letters.console import Console, Nowhere
from barberpro.server.letters.smtp import Smtp
from barberpro.server.letters.twilio import Twilio
from barberpro.server.settings import Settings, SettingsError
from barberpro.storage.postgres import close_pool, connect_pool
from barberpro.storage.sealing import Sealer
from barberpro.storage.tidying import tidy

log = structlog.get_logger(__name__)

_CONNECTIONS: Final = 3
"""One listens, one takes jobs, one does them."""


class PostOffice(Collector):
    """`await PostOffice.open(...)`; figures for /metrics; `await close()` in the end."""

    def __init__(self, pool: "Pool[Any]", sealer: Sealer, ways: Mapping[str, Transport], look: float = 5.0) -> None:
        """pool: of its own. ways: by channel. look: seconds between two looks for letters that are due again."""
        self._pool = pool
        self._deliverer = Deliverer(pool, sealer, ways)
        exporter = Exporter(pool)
        self._jobs = Jobs(
            pool,
            {JOB: self._deliverer.deliver, exports.JOB: exporter.make},
            {
                "reports.forget": Regular("37 * * * *", exporter.forget),
                "letters.sweep": Regular("* * * * *", self._deliverer.sweep),
                "letters.forget": Regular("17 3 * * *", self._deliverer.forget),
                "accounts.tidy": Regular("23 * * * *", self._tidy),
            },
            look,
        )

    @classmethod
    async def open(cls, database_url: str, patience: float, sealer: Sealer, ways: Mapping[str, Transport]) -> Self:
        """patience: seconds for one answer of Postgres. Raises what Postgres raises while it is away."""
        office = cls(await connect_pool(database_url, _CONNECTIONS, patience), sealer, ways)
        office.start()
        return office

    def start(self) -> None:
        self._jobs.start()

    async def _tidy(self) -> None:
        log.info("tidied", rows=await tidy(self._pool))

    def stop(self) -> None:
        """Begins no more. A letter that is being handed over has until `close`, and a moment."""
        self._jobs.stop()

    async def close(self) -> None:
        await self._jobs.close()
        await self._deliverer.close()
        await close_pool(self._pool)

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(
            "barberpro_letters", "Attempts to send letters, by channel and outcome.", labels=["channel", "outcome"]
        )
        for (channel, outcome), count in self._deliverer.outcomes.items():
            family.add_metric([channel, outcome], count)
        yield family
        yield from self._of_jobs()

    def _of_jobs(self) -> Iterator[Metric]:
        attempts = CounterMetricFamily("barberpro_jobs", "Attempts at jobs here.", labels=["kind", "outcome"])
        for (kind, outcome), count in self._jobs.outcomes.items():
            attempts.add_metric([kind, outcome], count)
        seconds = CounterMetricFamily("barberpro_job_seconds", "Time that attempts took here.", labels=["kind"])
        for kind, milliseconds in self._jobs.milliseconds.items():
            seconds.add_metric([kind], milliseconds / 1000)
        waiting = GaugeMetricFamily("barberpro_jobs_waiting", "Jobs that wait, of all nodes.", labels=["kind"])
        overdue = GaugeMetricFamily(
            "barberpro_jobs_overdue_seconds", "How long a job that is due has not been begun.", labels=["kind"]
        )
        seen = {each.kind: each for each in self._jobs.waiting}
        for kind in self._jobs.milliseconds:
            waiting.add_metric([kind], seen[kind].waiting if kind in seen else 0)
            overdue.add_metric([kind], (seen[kind].overdue_seconds if kind in seen else None) or 0)
        yield from (attempts, seconds, waiting, overdue)


def transports(settings: Settings) -> Mapping[str, Transport]:
    """By channel. Blocking: it reads the system's certificates. Raises SettingsError."""
    return {"email": _mail(settings), "sms": _sms(settings)}


def _mail(settings: Settings) -> Transport:
    if settings.smtp_host is None or settings.mail_from is None:
        return Console("email") if settings.environment == "development" else Nowhere("BARBERPRO_SMTP_HOST")
    password = settings.smtp_password.get_secret_value() if settings.smtp_password is not None else None
    try:
        return Smtp(
            settings.smtp_host,
            settings.smtp_port,
            settings.mail_from,
            settings.smtp_security,
            ssl.create_default_context(),
            settings.smtp_user,
            password,
        )
    except (ValueError, IndexError):
        raise SettingsError(f"BARBERPRO_MAIL_FROM is {settings.mail_from!r}: this is no address") from None


def _sms(settings: Settings) -> Transport:
    account, token, sender = settings.twilio_account_sid, settings.twilio_auth_token, settings.twilio_from
    if account is None or token is None or sender is None:
        known = settings.environment == "development"
        return Console("sms") if known else Nowhere("BARBERPRO_TWILIO_ACCOUNT_SID")
    return Twilio(account, token.get_secret_value(), sender, settings.twilio_url)
