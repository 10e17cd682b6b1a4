"""Counting who did not come, without a look at everything that they ever booked."""

from barberpro.storage.migrations import sql_beside

revision = "0012_no_shows"
down_revision = "0011_money"

upgrade = sql_beside(__file__)
