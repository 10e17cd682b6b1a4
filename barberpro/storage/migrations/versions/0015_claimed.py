"""Which accounts were imported and opened by nobody yet: of their contacts, those that are not shown then go."""

from barberpro.storage.migrations import sql_beside

revision = "0015_claimed"
down_revision = "0014_made_with"

upgrade = sql_beside(__file__)
