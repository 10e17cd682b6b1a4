"""BarberPro: a realtime, websocket-first queue server for barbershops."""

__version__ = "0.1.0"
