"""A shop's day under load: Locust users on real sockets, and the limits that the day is held to."""
