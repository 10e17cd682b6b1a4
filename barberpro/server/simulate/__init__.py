"""A shop's day, played over real sockets by barbers, customers and a screen."""

from barberpro.server.simulate.run import simulate
from barberpro.server.simulate.shop import Barber, Service, Shop
from barberpro.server.simulate.summary import Mint, SimulateOptions, SimulationSummary

__all__ = ["Barber", "Mint", "Service", "Shop", "SimulateOptions", "SimulationSummary", "simulate"]
