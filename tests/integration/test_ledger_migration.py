"""What was paid before there was a ledger stands in it once there is one."""

import asyncio
import shutil
from decimal import Decimal
from pathlib import Path

import asyncpg

from barberpro.storage.migrate import migrate
from barberpro.storage.migrations import VERSIONS

BOOKING = """
    INSERT INTO bookings (booking_id, shop_id, kind, services, duration_minutes, total_price, currency, created_at,
                          barber_id, status, ended_at, payment, shop_seq)
    VALUES ($1, 'sh_1', 'walk_in', '[]', 20, 250.00, 'INR', now(), 'bb_1', 'completed', now(), $2::text::jsonb, $3)
"""
EVENT = """
    INSERT INTO queue_events (shop_id, shop_seq, barber_id, seq, epoch, type, at, business_date, actor_id, actor_role,
                              data)
    VALUES ('sh_1', 2, 'bb_1', 2, 1, 'complete', now(), now(), 'us_staff', 'barber', '{"via": {"requestId": "req_9"}}')
"""


def older(directory: Path) -> Path:
    """The revisions before the ledger."""
    versions = directory / "versions"
    shutil.copytree(VERSIONS, versions, ignore=shutil.ignore_patterns("__pycache__"))
    for path in versions.glob("00*"):
        if path.name[:4] >= "0011":
            path.unlink()
    return versions


async def test_what_was_paid_before_there_was_a_ledger_is_in_it(empty_database_url: str, tmp_path: Path) -> None:
    await migrate(empty_database_url, await asyncio.to_thread(older, tmp_path))
    connection = await asyncpg.connect(empty_database_url)
    try:
        await connection.execute(EVENT)
        for booking_id, payment, shop_seq in (
            ("bk_1_a", '{"method": "cash", "amount": "250", "tip": "20.50"}', 2),
            ("bk_1_b", '{"method": "upi", "amount": "100.00", "tip": "0"}', 9),
            ("bk_1_c", None, 10),
        ):
            await connection.execute(BOOKING, booking_id, payment, shop_seq)
        assert "0011_money" in await migrate(empty_database_url)
        rows = await connection.fetch(
            "SELECT payment_id, kind, method, amount, actor_id, request_id FROM payment_ledger ORDER BY payment_id"
        )
    finally:
        await connection.close()
    assert [tuple(row) for row in rows] == [
        ("pm_1_a", "charge", "cash", Decimal(250), "us_staff", "req_9"),
        ("pm_1_at", "tip", "cash", Decimal("20.50"), "us_staff", "req_9"),
        ("pm_1_b", "charge", "upi", Decimal("100.00"), "system", None),
    ]
