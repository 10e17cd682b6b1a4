"""Clients of BarberPro: the Python SDK, and the pages with their JavaScript."""
