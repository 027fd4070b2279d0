"""The client's address, with trusted proxies and forged headers."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from django.test import RequestFactory
from hypothesis import example, given
from hypothesis import strategies as st

from chat.limits.addresses import client_address

TRUSTED = ["10.0.0.0/8", "192.0.2.7", "fd00::/8"]
NETWORKS = [ip_network(text) for text in TRUSTED]


def is_trusted(address):
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in NETWORKS)


proxies = st.one_of(
    st.ip_addresses(network="10.0.0.0/8"),
    st.ip_addresses(network="fd00::/8"),
    st.just(IPv4Address("192.0.2.7")),
)
clients = st.ip_addresses().filter(lambda address: not is_trusted(address))
#: What a client may write into the header itself: addresses, or any text.
forged_headers = st.lists(
    st.one_of(
        clients.map(str),
        proxies.map(str),
        st.text(st.characters(max_codepoint=255, categories=["L", "N", "P"])),
    ),
    max_size=4,
)


@st.composite
def notations(draw, address):
    """Draw one of the notations in which proxies write an address."""
    wide = isinstance(address, IPv6Address)
    text = f"[{address}]" if wide and draw(st.booleans()) else str(address)
    if (text.startswith("[") or not wide) and draw(st.booleans()):
        text += f":{draw(st.integers(1, 65535))}"
    return draw(st.sampled_from(["", " "])) + text


@st.composite
def paths(draw):
    """Draw the path of a request: (client, direct caller, the header as it arrives)."""
    client, way = draw(clients), draw(st.lists(proxies, max_size=3))
    header = draw(forged_headers)
    for before in [client, *way][: len(way)]:
        header = [*header, draw(notations(before))]  # each proxy appends its caller
    return client, [client, *way][-1], header


def counted(address):
    address = getattr(address, "ipv4_mapped", None) or address
    return str(address) if address.version == 4 else str(ip_network((address, 64), strict=False))


@pytest.fixture(autouse=True)
def trusted_proxies(settings):
    settings.TRUSTED_PROXIES = TRUSTED


def request_of(peer, header):
    headers = {"HTTP_X_FORWARDED_FOR": ",".join(header)} if header else {}
    return RequestFactory().get("/", REMOTE_ADDR=str(peer), **headers)


def scope_of(peer, header, lines=1):
    """Return an ASGI scope; the header may be split into several lines."""
    size = max(1, -(-len(header) // lines))
    parts = [",".join(header[i : i + size]).encode("latin-1") for i in range(0, len(header), size)]
    return {
        "type": "websocket",
        "client": [str(peer), 1234],
        "headers": [(b"host", b"x"), *((b"x-forwarded-for", part) for part in parts)],
    }


@given(paths(), st.integers(1, 3))
@example((ip_address("::ffff:1.2.3.4"), ip_address("10.0.0.1"), ["9.9.9.9", " [::ffff:1.2.3.4]:80"]), 1)
def test_address_behind_trusted_proxies_is_the_clients(path, lines):
    client, peer, header = path
    assert client_address(request_of(peer, header)) == counted(client)
    assert client_address(scope_of(peer, header, lines)) == counted(client)


@given(clients, forged_headers)
def test_address_without_trusted_proxies_is_the_callers(peer, header):
    from django.test import override_settings

    with override_settings(TRUSTED_PROXIES=[]):
        assert client_address(request_of(peer, header)) == counted(peer)


def test_ipv6_addresses_of_one_network_count_as_one():
    same = {client_address(scope_of(f"2001:db8:1:2::{number:x}", [])) for number in range(1, 9)}
    assert same == {"2001:db8:1:2::/64"}
    assert client_address(scope_of("2001:db8:1:3::1", [])) == "2001:db8:1:3::/64"


@pytest.mark.parametrize(
    ("trusted", "peer", "header", "expected"),
    [
        (["unix"], None, ["9.9.9.9", "1.2.3.4"], "1.2.3.4"),
        (["unix", "10.0.0.0/8"], None, ["1.2.3.4", "10.0.0.9"], "1.2.3.4"),
        ([], None, ["1.2.3.4"], ""),
        (["10.0.0.0/8"], None, ["1.2.3.4"], ""),
        (["unix"], None, [], ""),
        (["10.0.0.0/8"], "10.0.0.1", [], "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", ["unknown"], "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
    ],
)
def test_address_of_unix_sockets_and_incomplete_headers(settings, trusted, peer, header, expected):
    settings.TRUSTED_PROXIES = trusted
    scope = scope_of(peer or "", header)
    if peer is None:
        scope["client"] = None
    assert client_address(scope) == expected
