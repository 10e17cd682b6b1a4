"""Finding a barber, and what customers say of them."""

from barberpro.storage.migrations import sql_beside

revision = "0010_find"
down_revision = "0009_calendar"

upgrade = sql_beside(__file__)
