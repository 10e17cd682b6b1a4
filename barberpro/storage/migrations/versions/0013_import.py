"""What is taken over from another system: where it came from, how far it is, and what stands for its bookings."""

from barberpro.storage.migrations import sql_beside

revision = "0013_import"
down_revision = "0012_no_shows"

upgrade = sql_beside(__file__)
