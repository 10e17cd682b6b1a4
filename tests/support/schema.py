"""The whole schema as text, for comparing what the migrations make with barberpro/storage/schema.sql."""

import re
import subprocess
from pathlib import Path

import barberpro.storage
from barberpro.server.embedded.postgres_binaries import installed_package

SCHEMA = Path(barberpro.storage.__file__).parent / "schema.sql"

HEADER = """\
-- What all migrations together make, for reading. Nothing runs this file; a test compares it with the
-- migrations. After a new migration: python -m tests.integration.regenerate_schema

"""

# What pg_dump says about itself and its session, and not about the schema.
NOISE = re.compile(r"(--$|-- (Name: |Dumped |PostgreSQL database dump)|SET \w+ = |SELECT pg_catalog\.set_config|\\)")


def dump_schema(database_url: str) -> str:
    """Return the schema of a database, as the text of schema.sql. Blocking; subprocess.CalledProcessError."""
    pg_dump = installed_package() / "pginstall" / "bin" / "pg_dump"
    dumped = subprocess.run(  # noqa: S603 (our own arguments, and no shell)
        [str(pg_dump), "--schema-only", "--no-owner", "--no-privileges", database_url],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line for line in dumped.stdout.splitlines() if not NOISE.match(line)]
    return HEADER + re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
