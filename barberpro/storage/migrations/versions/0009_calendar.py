"""Calendars of barbers, and the proof that no two appointments of one overlap."""

from barberpro.storage.migrations import sql_beside

revision = "0009_calendar"
down_revision = "0008_shops"

upgrade = sql_beside(__file__)
