"""The one error of the embedded stores."""


class EmbeddedServicesError(Exception):
    """The embedded stores could not be started, or do not answer.

    The message names the directory (and the process, where there is one) and says what to do.
    """
