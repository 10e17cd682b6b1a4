"""REST, /api/v1: one file per resource. Each endpoint parses, authorises, calls and replies."""

from barberpro.handlers.rest.routes import setup_rest

__all__ = ["setup_rest"]
