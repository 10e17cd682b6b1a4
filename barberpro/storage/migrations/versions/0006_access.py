"""The codes with which guests join, and the screens that a shop has paired."""

from barberpro.storage.migrations import sql_beside

revision = "0006_access"
down_revision = "0005_accounts"

upgrade = sql_beside(__file__)
