"""Accounts, how people sign in to them, and their sessions."""

from barberpro.storage.migrations import sql_beside

revision = "0005_accounts"
down_revision = "0004_data"

upgrade = sql_beside(__file__)
