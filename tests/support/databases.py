"""Fresh databases, made from a migrated template in milliseconds."""

from urllib.parse import urlsplit, urlunsplit

import asyncpg


def with_database(database_url: str, name: str) -> str:
    """Return the URL of another database of the same server."""
    return urlunsplit(urlsplit(database_url)._replace(path=f"/{name}"))


async def create_database(server_url: str, name: str, template: str = "template0") -> str:
    """Create a database from a template that nobody is connected to, and return its URL."""
    connection = await asyncpg.connect(server_url)
    try:
        # The pages are copied through the log: for a database this small, cheaper than a checkpoint.
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY wal_log')
    finally:
        await connection.close()
    return with_database(server_url, name)


async def drop_database(server_url: str, name: str) -> None:
    """Drop a database, cutting off whoever is still connected to it."""
    connection = await asyncpg.connect(server_url)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()


async def forget_durability(server_url: str) -> None:
    """Have a server never wait for its disk: each database that is dropped is a checkpoint, which syncs all files."""
    connection = await asyncpg.connect(server_url)
    try:
        for setting in ("fsync", "full_page_writes", "autovacuum"):
            await connection.execute(f"ALTER SYSTEM SET {setting} = off")
        await connection.execute("SELECT pg_reload_conf()")
    finally:
        await connection.close()
