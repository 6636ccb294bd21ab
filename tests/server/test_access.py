"""Who is let in, and as whom."""

import re

import pytest
from starlette.requests import HTTPConnection

from companion.server.entry.access import MOST_SECRETS, SECRET_SECONDS, Access, Refusal, is_loopback
from companion.session.client.visitor import Visitor

ANYBODY, NOBODY = Visitor(None), Visitor("")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def connection(*keys: str, host: str = "127.0.0.1:8765", **headers: str) -> HTTPConnection:
    """A first key as a bearer's, then as Azure's, then as the websocket's subprotocol."""
    given = {"host": host} | {name.replace("_", "-"): value for name, value in headers.items()}
    ways = (
        ("authorization", "Bearer {}"),
        ("api-key", "{}"),
        ("sec-websocket-protocol", "realtime, openai-insecure-api-key.{}"),
    )
    given |= {name: way.format(key) for key, (name, way) in zip(keys, ways, strict=False) if key}
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in given.items()]
    return HTTPConnection({"type": "http", "headers": pairs})


def refused(found: Visitor | Refusal) -> tuple[int, str] | None:
    return (found.status, found.code) if isinstance(found, Refusal) else None


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keyed(clock: Clock) -> Access:
    return Access("right", (), clock)


@pytest.fixture
def keyless(clock: Clock) -> Access:
    return Access("", ("https://school.example/",), clock)


@pytest.mark.parametrize("keys", [("right",), ("", "right"), ("", "", "right"), ("wrong", "right")])
def test_the_key_opens_in_every_way_and_speaks_for_all(keyed: Access, keys: tuple[str, ...]) -> None:
    assert keyed.visitor(connection(*keys)) == ANYBODY


@pytest.mark.parametrize("keys", [(), ("wrong",), ("ek_wrong",), ("Right",), ("r\u00efght",), ("rightt", "righ", "")])
def test_nothing_else_does(keyed: Access, keys: tuple[str, ...]) -> None:
    assert refused(keyed.visitor(connection(*keys))) == (401, "invalid_api_key")
    other_scheme = connection(authorization="Basic right")
    assert refused(keyed.visitor(other_scheme)) == (401, "invalid_api_key")


def test_a_secret_counts_until_it_expires(keyed: Access, clock: Clock) -> None:
    secret, expires = keyed.secret("anna")
    assert expires == clock.now + SECRET_SECONDS
    clock.now = expires - 0.5
    assert keyed.visitor(connection(secret)) == Visitor("anna")
    clock.now = expires
    assert refused(keyed.visitor(connection(secret))) == (401, "invalid_api_key")


def test_an_expired_secret_decides_nothing_beside_a_valid_one(keyed: Access, clock: Clock) -> None:
    old, expires = keyed.secret("bob")
    clock.now = expires - 1.0
    new, _ = keyed.secret("alice")
    clock.now = expires + 1.0
    for keys in ((old, new), (new, old), ("", old, new)):
        assert keyed.visitor(connection(*keys)) == Visitor("alice")
    assert keyed.visitor(connection(old, "right")) == ANYBODY


def test_a_secret_beside_the_key_still_narrows_it(keyed: Access) -> None:
    secret, _ = keyed.secret("anna")
    for keys in (("right", secret), (secret, "right")):
        assert keyed.visitor(connection(*keys)) == Visitor("anna")


def test_of_two_valid_secrets_the_first_decides_and_nobody_guesses_one(keyed: Access) -> None:
    (anna, _), (bert, _) = keyed.secret("anna"), keyed.secret("bert")
    assert keyed.visitor(connection(anna, bert)) == Visitor("anna")
    assert keyed.visitor(connection(bert, "", anna)) == Visitor("bert")
    assert len(anna.removeprefix("ek_")) * 6 >= 192, "bits"


def test_without_a_key_an_expired_secret_speaks_for_nobody(keyless: Access, clock: Clock) -> None:
    secret, expires = keyless.secret("anna")
    assert keyless.visitor(connection(secret)) == Visitor("anna")
    clock.now = expires + 1.0
    assert keyless.visitor(connection(secret)) == NOBODY
    assert keyless.visitor(connection("sk-of-some-client")) == ANYBODY
    assert keyless.visitor(connection()) == ANYBODY


def test_many_secrets_push_out_the_oldest(keyed: Access) -> None:
    first, second, *_ = [keyed.secret(f"user{i}")[0] for i in range(MOST_SECRETS + 1)]
    assert refused(keyed.visitor(connection(first))) == (401, "invalid_api_key")
    assert keyed.visitor(connection(second)) == Visitor("user1")


def test_secrets_that_expired_make_room(keyed: Access, clock: Clock) -> None:
    for i in range(MOST_SECRETS - 1):
        keyed.secret(f"user{i}")
    clock.now += SECRET_SECONDS - 1
    kept, _ = keyed.secret("anna")
    clock.now += 2
    for i in range(MOST_SECRETS - 1):
        keyed.secret(f"later{i}")
    assert keyed.visitor(connection(kept)) == Visitor("anna")


@pytest.mark.parametrize(
    ("host", "origin", "expected"),
    [
        ("localhost:8765", "http://localhost:8765", None),
        ("127.0.0.1:8765", "HTTPS://SCHOOL.EXAMPLE", None),
        ("[::1]:8765", "http://[::1]:8765", None),
        ("127.0.0.1:8765", "http://127.0.0.1:9999", (403, "forbidden_origin")),
        ("127.0.0.1:8765", "https://evil.example", (403, "forbidden_origin")),
        ("127.0.0.1:8765", "null", (403, "forbidden_origin")),
        ("127.0.0.1:8765", "", (403, "forbidden_origin")),
        ("evil.example", "http://evil.example", (403, "forbidden_host")),
        ("0.0.0.0:8765", "http://0.0.0.0:8765", (403, "forbidden_host")),
        ("", "http://localhost", (403, "forbidden_host")),
        ("[", "http://localhost", (400, "invalid_value")),
        ("[::1", "http://localhost", (400, "invalid_value")),
        ("127.0.0.1:8765", "http://[", (400, "invalid_value")),
    ],
)
def test_without_a_key_only_pages_of_this_machine(
    keyless: Access, host: str, origin: str, expected: tuple[int, str] | None
) -> None:
    assert refused(keyless.visitor(connection(host=host, origin=origin))) == expected


@pytest.mark.parametrize(
    "header",
    ["forwarded", "x_forwarded_for", "x_forwarded_host", "x_forwarded_proto", "x_real_ip", "via", "cf_connecting_ip"],
)
def test_without_a_key_nobody_comes_through_a_proxy(keyless: Access, keyed: Access, header: str) -> None:
    assert refused(keyless.visitor(connection(**{header: "203.0.113.9"}))) == (403, "forbidden_proxy")
    assert keyed.visitor(connection("right", **{header: "203.0.113.9"})) == ANYBODY


def test_without_a_key_a_proxy_that_adds_nothing_is_known_by_its_old_http(keyless: Access, keyed: Access) -> None:
    proxied, direct, allowed = connection(), connection(), connection("right")
    proxied.scope["http_version"] = allowed.scope["http_version"] = "1.0"
    direct.scope["http_version"] = "1.1"
    assert refused(keyless.visitor(proxied)) == (403, "forbidden_proxy")
    assert keyless.visitor(direct) == keyed.visitor(allowed) == ANYBODY


@pytest.mark.parametrize(
    ("headers", "advice"),
    [
        ({"host": "["}, "is not a valid address."),
        ({"host": "evil.example"}, "Without a key .* open it as http://127.0.0.1 or localhost."),
        ({"via": "1.1 proxy"}, "This came through a proxy: set a key in VASARI_API_KEY "),
        ({"origin": "https://a.example"}, r'does not let in pages of https://a.example. .*\["https://a.example"\]'),
    ],
)
def test_a_refusal_says_what_to_do(keyless: Access, keyed: Access, headers: dict[str, str], advice: str) -> None:
    found = keyless.visitor(connection(**headers))
    assert isinstance(found, Refusal) and re.search(advice, found.message)
    found = keyed.visitor(connection())
    assert isinstance(found, Refusal) and found.message.startswith("A valid key is needed: `Authorization: Bearer KEY`")


def test_a_long_origin_is_not_repeated_whole(keyless: Access) -> None:
    found = keyless.visitor(connection(origin="https://" + "x" * 5000))
    assert isinstance(found, Refusal) and len(found.message) < 700


@pytest.mark.parametrize(
    ("visitor", "user", "may"),
    [(ANYBODY, "anna", True), (Visitor("anna"), "anna", True), (Visitor("anna"), "bob", False), (NOBODY, "", False)],
)
def test_whose_memories_one_may_see(visitor: Visitor, user: str, may: bool) -> None:
    assert visitor.may_be(user) is may


@pytest.mark.parametrize(
    ("host", "this"),
    [
        ("LOCALHOST", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_what_means_this_machine(host: str, this: bool) -> None:
    assert is_loopback(host) is this
