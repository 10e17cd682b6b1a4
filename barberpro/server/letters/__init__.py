"""The ways out for letters, and the part of a server that sends them."""
