"""Accounts: how people show who they are, and the sessions that follow from it."""
