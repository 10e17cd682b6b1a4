"""Migrations on a real Postgres."""

import asyncio
import shutil
from pathlib import Path

import asyncpg
import pytest

from barberpro.storage.migrate import (
    SchemaTooNewError,
    current_revision,
    head_revision,
    migrate,
)
from barberpro.storage.migrations import VERSIONS
from tests.support.schema import SCHEMA, dump_schema

REVISION = '''"""A revision of this test."""

from barberpro.storage.migrations import sql_beside

revision = "{name}"
down_revision = {parent!r}

upgrade = sql_beside(__file__)
'''

HISTORY = {
    "0001_first": "CREATE TABLE first (id int); INSERT INTO first VALUES (1), (2);",
    "0002_second": "CREATE TABLE second (id int);\n-- a second statement\nCREATE INDEX ON second (id);",
    "0003_third": "CREATE TABLE third (id int);",
}

_IMPORTED = """
    INSERT INTO users (user_id, role) VALUES
        ('us_waits', 'customer'), ('us_signed_in', 'customer'), ('us_registered', 'customer'), ('us_own', 'customer');
    INSERT INTO imports (source, options) VALUES ('firestore', '{}');
    INSERT INTO imported_rows (collection, source_id, target_id, import_id, line, digest)
        SELECT 'users', user_id, user_id, (SELECT max(import_id) FROM imports), 1, '' FROM users
        WHERE user_id <> 'us_own';
    INSERT INTO sessions (session_id, user_id, secret_sealed, expires_at) VALUES ('se_1', 'us_signed_in', '', now());
    INSERT INTO audit_entries (actor_id, actor_role, action, object_type, object_id)
        VALUES ('us_registered', 'customer', 'account.registered', 'user', 'us_registered');
"""


def write_history(directory: Path, history: dict[str, str]) -> Path:
    """Write revisions, each the child of the one before, and return their directory."""
    versions = directory / "versions"
    versions.mkdir(parents=True)
    parent = None
    for name, sql in history.items():
        (versions / f"{name}.py").write_text(REVISION.format(name=name, parent=parent))
        (versions / f"{name}.sql").write_text(sql)
        parent = name
    return versions


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    """Return a directory with the three revisions of HISTORY."""
    return write_history(tmp_path / "all", HISTORY)


@pytest.fixture
def older_versions(tmp_path: Path) -> Path:
    """Return a directory with the first revision of HISTORY alone: the code of an older release."""
    return write_history(tmp_path / "older", {"0001_first": HISTORY["0001_first"]})


async def tables_of(database_url: str) -> set[str]:
    """Return the names of the tables in the public schema."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {row["tablename"] for row in rows}
    finally:
        await connection.close()


async def test_every_revision_is_applied_in_order(empty_database_url: str, versions: Path) -> None:
    assert await migrate(empty_database_url, versions) == list(HISTORY)
    assert await tables_of(empty_database_url) == {"alembic_version", "first", "second", "third"}
    assert await current_revision(empty_database_url) == "0003_third"


async def test_a_second_migration_finds_nothing_to_do(empty_database_url: str, versions: Path) -> None:
    await migrate(empty_database_url, versions)
    assert await migrate(empty_database_url, versions) == []


async def test_only_the_missing_revisions_are_applied(
    empty_database_url: str, versions: Path, older_versions: Path
) -> None:
    await migrate(empty_database_url, older_versions)
    assert await migrate(empty_database_url, versions) == ["0002_second", "0003_third"]


async def test_servers_that_start_at_once_migrate_once(empty_database_url: str, versions: Path) -> None:
    applied = await asyncio.gather(*(migrate(empty_database_url, versions) for _ in range(5)))
    assert sorted(applied) == [[], [], [], [], list(HISTORY)]


async def test_two_databases_can_be_migrated_at_once(
    empty_database_url: str, database_url: str, versions: Path
) -> None:
    empty, migrated = await asyncio.gather(migrate(empty_database_url, versions), migrate(database_url))
    assert empty == list(HISTORY)
    assert migrated == []


async def test_a_schema_newer_than_the_code_is_refused(
    empty_database_url: str, versions: Path, older_versions: Path
) -> None:
    await migrate(empty_database_url, versions)
    with pytest.raises(SchemaTooNewError, match=r"0003_third.*0001_first"):
        await migrate(empty_database_url, older_versions)
    assert await current_revision(empty_database_url) == "0003_third"


async def test_a_revision_that_fails_leaves_the_schema_as_it_was(
    empty_database_url: str, tmp_path: Path, older_versions: Path
) -> None:
    await migrate(empty_database_url, older_versions)
    history = HISTORY | {"0003_third": "CREATE TABLE third (id int); SELECT 1 / 0;"}
    broken = await asyncio.to_thread(write_history, tmp_path / "broken", history)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty_database_url, broken)
    assert await current_revision(empty_database_url) == "0001_first"
    assert await tables_of(empty_database_url) == {"alembic_version", "first"}


async def test_a_database_that_was_never_migrated_has_no_revision(empty_database_url: str) -> None:
    assert await current_revision(empty_database_url) is None


async def test_accounts_that_were_imported_and_opened_by_nobody_are_marked(
    empty_database_url: str, tmp_path: Path
) -> None:
    def before(directory: str, names: list[str]) -> set[str]:
        return {name for name in names if name[:4].isdigit() and name[:4] >= "0015"}

    older = await asyncio.to_thread(shutil.copytree, VERSIONS, tmp_path / "older", ignore=before)
    await migrate(empty_database_url, Path(older))
    connection = await asyncpg.connect(empty_database_url)
    try:
        await connection.execute(_IMPORTED)
        await migrate(empty_database_url)
        claimed = await connection.fetch("SELECT user_id FROM users WHERE claimed")
    finally:
        await connection.close()
    assert {row["user_id"] for row in claimed} == {"us_waits"}


async def test_a_migrated_database_is_at_the_newest_revision(database_url: str) -> None:
    head = await asyncio.to_thread(head_revision)
    assert await current_revision(database_url) == head


async def test_the_migrations_make_what_schema_sql_shows(database_url: str) -> None:
    made = await asyncio.to_thread(dump_schema, database_url)
    shown = await asyncio.to_thread(SCHEMA.read_text)
    assert made == shown, "run: python -m tests.integration.regenerate_schema"


def test_every_revision_has_its_sql_and_its_own_name() -> None:
    revisions = {path.stem for path in VERSIONS.glob("[0-9]*.py")}
    assert revisions == {path.stem for path in VERSIONS.glob("*.sql")}
    assert head_revision() == max(revisions)
