"""Whatever is asked over HTTP: bad input is the asker's mistake, never the server's."""

import tempfile

import httpx
import pytest

from tests.server.loopback import running
from tests.server.test_memories import KEY, kept
from tests.server.test_server import picture

__all__ = ["kept"]

SECRETS, MEMORY, POINTS = "/v1/realtime/client_secrets", "/v1/memories/1", "/v1/portraits/{upload}/landmarks"
DEEP = (
    b'{"session":' * 3000 + b"1" + b"}" * 3000,
    b'{"text":' + b"[" * 100_000,
    b'{"points":' + b"[" * 500 + b"]" * 500 + b"}",
)
NOT_JSON = (b"", b"[", b"\xff\xfe", b"9" * 5000, b"NaN")
LONG = b"x" * 20_000
USERS = (b"5", b"[]", b'"' + LONG + b'"')
TEXTS = (b'{"text":["x"]}', b'{"text":""}', b'{"text":"' + LONG + b'"}')
LANDMARKS = (b'{"points":{"chin":[1e999,1]}}', b'{"points":{"chin":["a",1]}}')
NUMBERS = (2**63, 2**31, "9" * 30, "9" * 5000, 0, -1, "1.5", "%00", "%ff", "%D9%A1")
FORM = {"Content-Type": "multipart/form-data; boundary=x"}
FORMS = (b"", b"--x\r\n", b"--x--", b"--x\r\nContent-Disposition: form-data\r\n\r\n\r\n--x--")
PATHS = ("/%00", "/%ff", "/" + "x" * 5000, "/v1/characters/%00/picture", "/v1/portraits/%00/picture")

BAD = [
    *[("POST", SECRETS, body, {}) for body in (*DEEP, *NOT_JSON[1:], b"[1]", b'"x"')],
    *[("POST", SECRETS, b'{"session":{"memory":{"user":' + user + b"}}}", {}) for user in USERS],
    *[("PUT", MEMORY, body, {}) for body in (*DEEP, *NOT_JSON, *TEXTS)],
    *[(method, f"/v1/memories/{n}", b'{"text":"x"}', {}) for method in ("GET", "PUT", "DELETE") for n in NUMBERS],
    *[("PUT", POINTS, body, {}) for body in (*DEEP, *NOT_JSON, *LANDMARKS)],
    *[("POST", "/v1/portraits", body, FORM) for body in FORMS],
    *[("GET", path, None, {}) for path in PATHS],
    *[(method, "/v1/personas", None, {}) for method in ("POST", "DELETE")],
    ("GET", "/v1/memories", None, {"Vasari-User": ""}),
]
MALFORMED = [
    (method, path, None, header)
    for method, path in (("GET", "/v1/memories"), ("POST", SECRETS), ("POST", "/v1/portraits"))
    for header in ({"Host": "["}, {"Host": "[::1"}, {"Origin": "http://["}, {"Origin": "\xff"})
]


@pytest.mark.parametrize("key", [True, False])
async def test_bad_input_is_a_client_error_everywhere(kept, key):
    changes = kept if key else {"memory": kept["memory"]}
    cases = BAD if key else BAD + MALFORMED
    found = []
    async with running(**changes) as server, httpx.AsyncClient(base_url=server.http, trust_env=False) as http:
        own = {"Vasari-User": "anna"} | (KEY if key else {})
        upload = (await http.post("/v1/portraits", content=picture(), headers=own)).json()["id"]
        for method, path, body, more in cases:
            headers = [(name.encode(), value.encode("latin-1")) for name, value in (own | more).items()]
            path = path.replace("{upload}", upload)
            status = (await http.request(method, path, content=body, headers=headers)).status_code
            if not 400 <= status < 500:
                found.append((status, method, path[:60], (body or b"")[:60], more))
        assert (await http.get("/v1/memories", headers=own)).json() == {"memories": []}
    assert found == []


@pytest.mark.parametrize("megabytes", [0.5, 3])
async def test_a_form_never_touches_the_disk(monkeypatch, megabytes):
    """The folder of temporary files is not there at all."""
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    large = picture() + bytes(round(megabytes * 1e6))  # what follows a picture is not read
    async with running() as server, httpx.AsyncClient(base_url=server.http, trust_env=False) as http:
        answer = await http.post("/v1/portraits", files={"file": ("me.png", large)})
        assert answer.status_code == 201, answer.text
