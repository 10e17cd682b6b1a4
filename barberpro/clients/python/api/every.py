"""All of them. Made as the others."""

from barberpro.clients.python.api.admin import Admin
from barberpro.clients.python.api.auth import Auth
from barberpro.clients.python.api.barbers import Barbers
from barberpro.clients.python.api.bookings import Bookings
from barberpro.clients.python.api.devices import Devices
from barberpro.clients.python.api.flags import Flags
from barberpro.clients.python.api.invitations import Invitations
from barberpro.clients.python.api.payments import Payments
from barberpro.clients.python.api.queue import Queue
from barberpro.clients.python.api.reviews import Reviews
from barberpro.clients.python.api.shops import Shops
from barberpro.clients.python.api.system import System


class Endpoints(Admin, Auth, Barbers, Bookings, Devices, Flags, Invitations, Payments, Queue, Reviews, Shops, System):
    """Every endpoint of the server, typed."""
