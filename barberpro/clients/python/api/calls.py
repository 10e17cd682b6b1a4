"""What all endpoints' methods share."""

from barberpro.clients.python.rest import Rest


class Calls:
    """Methods raise BarberProError, and ServerUnreachable when the deadline passes.

    A field that is OMITTED is left out; None is null. Amounts, dates and times are texts, as on the wire.
    """

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
