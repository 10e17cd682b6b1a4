"""The audit log tells before, after and the caller's program, and can be searched; letters, and their jobs."""

from barberpro.storage.migrations import sql_beside

revision = "0007_data"
down_revision = "0006_abuse"

upgrade = sql_beside(__file__)
