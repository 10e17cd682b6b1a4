"""The rest of the shop's business: identity so far; the catalogue, the calendar and the ledger come to it."""
