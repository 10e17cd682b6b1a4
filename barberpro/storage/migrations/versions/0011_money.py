"""The ledger of payments, written in the commit that completes a booking; and reports that are made to be fetched."""

from barberpro.storage.migrations import sql_beside

revision = "0011_money"
down_revision = "0010_find"

upgrade = sql_beside(__file__)
