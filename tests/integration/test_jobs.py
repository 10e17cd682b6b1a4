"""The job library's tables are those that its installed release asks for."""

import asyncpg
from pgqueuer.queries import Queries


async def test_our_migrations_make_what_the_library_declares(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        upgrade = await Queries.from_asyncpg_connection(connection).plan_upgrade()
    finally:
        await connection.close()
    assert list(upgrade.statements) == []
