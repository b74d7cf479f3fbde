"""What people write for a server, and what it means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triochat.address import Address, find_address, named_server, parse_address
from triochat.config import DEFAULT_PORT, ConfigError


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("chat.example.org", "chat.example.org", DEFAULT_PORT),
        ("chat.example.org:5000", "chat.example.org", 5000),
        ("127.0.0.1:1", "127.0.0.1", 1),
        ("localhost:65535", "localhost", 65535),
        ("::1", "::1", DEFAULT_PORT),
        ("fe80::1%eth0", "fe80::1%eth0", DEFAULT_PORT),
        ("[::1]", "::1", DEFAULT_PORT),
        ("[::1]:5000", "::1", 5000),
        ("bücher.example", "bücher.example", DEFAULT_PORT),
    ],
)
@pytest.mark.parametrize("form", ["{}", "triochat://{}", "TrioChat://{}", "triochat://{}/"])
def test_host_and_port(text: str, host: str, port: int, form: str) -> None:
    assert parse_address(form.format(text)) == Address(host, port)


@pytest.mark.parametrize("room", ["/#dev", "/%23dev", "/dev", "#dev", "/#Dev", "/DEV", "/%23%44ev"])
@pytest.mark.parametrize(("place", "port"), [("[::1]:7", 7), ("[::1]", DEFAULT_PORT)])
def test_a_room_behind_it(room: str, place: str, port: int) -> None:
    assert parse_address(f"triochat://{place}{room}") == Address("::1", port, "#dev")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "HOST:PORT"),
        (":5000", "names no host"),
        ("[]", "names no host"),
        ("triochat://", "names no host"),
        ("triochat:///#dev", "names no host"),
        ("a host", "names no host"),
        ("host/#dev", r"triochat://HOST:PORT/#ROOM"),
        ("[::1", "names no host"),
        ("host:", "a port is 1 to 65535"),
        ("host:0", "a port is 1 to 65535"),
        ("host:70000", "a port is 1 to 65535"),
        ("host:port", "a port is 1 to 65535"),
        ("host:+5", "a port is 1 to 65535"),
        ("host:\u0665", "a port is 1 to 65535"),
        ("triochat://host:x/#dev", "a port is 1 to 65535"),
        ("host:" + "9" * 5000, "a port is 1 to 65535"),
        ("https://host/", "no address of a chat"),
        ("triochat://bob@host", "--nick"),
        ("triochat://host/#no room", "is no room"),
        ("triochat://host/dev/ops", "is no room"),
        ("triochat://host/##", "is no room"),
        ("triochat://host/%E9", "is no room"),
    ],
)
def test_what_is_none(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parse_address(text)


def test_a_name_wins_over_a_host_and_the_scheme_over_a_name() -> None:
    work = named_server("triochat://chat.example.org:5000/#dev", nick="alice")
    servers = {"work": work}
    assert work == Address("chat.example.org", 5000, "#dev", "alice")
    assert find_address("work", servers) == work
    assert find_address("triochat://work", servers) == Address("work")
    assert find_address("work:5000", servers) == Address("work", 5000)
    assert find_address("home", servers) == Address("home")


def test_the_room_of_a_named_server_wins_over_that_in_its_address() -> None:
    assert named_server("triochat://host/#dev", room="Ops").room == "#ops"
    with pytest.raises(ConfigError, match="is no room"):
        named_server("host", room="o p s")


@given(st.text(st.sampled_from("ab1:/#[]@%23 .é\n") | st.characters()), st.sampled_from(["", "triochat://"]))
def test_whatever_is_written_it_is_an_address_or_a_sentence(text: str, scheme: str) -> None:
    try:
        address = parse_address(scheme + text)
    except ConfigError as error:
        assert str(error).isprintable()  # noqa: PT017 -- it may raise, or not
    else:
        assert address.host
        assert 0 < address.port < 65536
        assert address.room is None or address.room.startswith("#")
