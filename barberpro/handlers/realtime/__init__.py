"""Rooms and the sockets that watch them."""
