"""Old events may go, once a checkpoint stands for them; old audit entries, once they are a year old."""

from barberpro.storage.migrations import sql_beside

revision = "0003_trimming"
down_revision = "0002_revocations"

upgrade = sql_beside(__file__)
