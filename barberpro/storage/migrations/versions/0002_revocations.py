"""Users whose older tokens are no longer good."""

from barberpro.storage.migrations import sql_beside

revision = "0002_revocations"
down_revision = "0001_engine"

upgrade = sql_beside(__file__)
