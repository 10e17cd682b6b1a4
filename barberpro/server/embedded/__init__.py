"""Real Postgres and Valkey, started from wheels: `--embedded DIR`, the demo, and the tests."""

from barberpro.server.embedded.errors import EmbeddedServicesError
from barberpro.server.embedded.services import EmbeddedServices, StoreUrls

__all__ = ["EmbeddedServices", "EmbeddedServicesError", "StoreUrls"]
