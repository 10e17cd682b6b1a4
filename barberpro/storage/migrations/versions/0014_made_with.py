"""Of which request a shop and a service were made: the same key again with other content is refused."""

from barberpro.storage.migrations import sql_beside

revision = "0014_made_with"
down_revision = "0013_import"

upgrade = sql_beside(__file__)
