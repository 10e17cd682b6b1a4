"""Where a request comes from, and whose requests are counted together."""

import re
from ipaddress import ip_network
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

import barberpro
from barberpro.handlers.callers import Proxies, network_of

PROXIES = Proxies((ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48")))


@pytest.mark.parametrize(
    ("remote", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, "unknown"),
        ("", "unknown"),
    ],
)
def test_an_address_counts_with_those_of_the_same_household(remote: str | None, counted_as: str) -> None:
    assert network_of(remote) == counted_as


def seen(peer: str, *forwarded: str, proxies: Proxies = PROXIES) -> str | None:
    """The address of a request from this peer, with these X-Forwarded-For headers."""
    headers = CIMultiDict([("X-Forwarded-For", each) for each in forwarded])
    return proxies.address(make_mocked_request("GET", "/", headers).clone(remote=peer))


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["198.51.100.1, 192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["198.51.100.1", "192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["192.0.2.7, 10.9.9.9"], "192.0.2.7"),
        ("::ffff:10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("2001:db8:ffff::1", ["2001:db8:1::9"], "2001:db8:1::9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.2, 10.0.0.3"], "10.0.0.2"),
    ],
)
def test_a_trusted_proxy_says_who_called(peer: str, forwarded: list[str], address: str) -> None:
    assert seen(peer, *forwarded) == address


@pytest.mark.parametrize("forwarded", ["192.0.2.7", "10.0.0.9", "192.0.2.7, 10.0.0.1"])
def test_a_stranger_who_says_so_is_no_proxy(forwarded: str) -> None:
    assert seen("203.0.113.5", forwarded) == "203.0.113.5"
    assert seen("10.0.0.1", forwarded, proxies=Proxies()) == "10.0.0.1"


@pytest.mark.parametrize("nonsense", ["", ",", "unknown", "192.0.2.7:8080", "1" * 8000, "' OR 1=1"])
def test_what_is_no_address_names_nobody(nonsense: str) -> None:
    assert seen("10.0.0.1", nonsense) == "10.0.0.1"
    assert seen("10.0.0.1", f"{nonsense}, 192.0.2.7") == "192.0.2.7"


@pytest.mark.parametrize(
    ("peer", "told", "secure"),
    [
        ("10.0.0.1", "https", True),
        ("10.0.0.1", "http, https", True),
        ("10.0.0.1", "https, http", False),
        ("10.0.0.1", "http", False),
        ("203.0.113.5", "https", False),
    ],
)
def test_only_a_trusted_proxy_says_that_it_was_tls(peer: str, told: str, secure: bool) -> None:
    request = make_mocked_request("GET", "/", CIMultiDict({"X-Forwarded-Proto": told})).clone(remote=peer)
    assert PROXIES.secure(request) is secure


def test_nobody_else_takes_a_requests_peer_for_its_caller() -> None:
    package = Path(barberpro.__file__).parent
    asks = [path.name for path in package.rglob("*.py") if re.search(r"\.remote\b|peername", path.read_text())]
    assert asks == ["callers.py"]
