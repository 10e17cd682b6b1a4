"""Shops as their owners run them: place, hours, rules, owners, invitations; and feature flags."""

from barberpro.storage.migrations import sql_beside

revision = "0008_shops"
down_revision = "0007_abuse"

upgrade = sql_beside(__file__)
