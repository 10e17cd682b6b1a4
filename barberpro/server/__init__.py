"""The composition root: settings, lifecycle, command line, embedded stores. Imports everything; nothing imports it."""
