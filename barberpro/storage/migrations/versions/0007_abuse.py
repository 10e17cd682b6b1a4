"""Addresses that are kept out for a while, and why."""

from barberpro.storage.migrations import sql_beside

revision = "0007_abuse"
down_revision = "0006_access"

upgrade = sql_beside(__file__)
