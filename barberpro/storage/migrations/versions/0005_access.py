"""The codes with which guests join, and the screens that a shop has paired."""

from barberpro.storage.migrations import sql_beside

revision = "0005_access"
down_revision = "0003_trimming"

upgrade = sql_beside(__file__)
