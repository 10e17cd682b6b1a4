"""The doors: whatever faces a connection. Each parses, authorises, calls and replies."""
