"""The error of the commands."""


class CommandError(Exception):
    """A command cannot do what was asked; the message says why, in words for the one who asked."""
