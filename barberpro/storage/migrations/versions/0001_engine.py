"""The catalogue, the engine's record, and the function through which every event becomes durable."""

from barberpro.storage.migrations import sql_beside

revision = "0001_engine"
down_revision = None

upgrade = sql_beside(__file__)
