"""The memory in both of its databases; PostgreSQL is a cluster of its own, started for these tests and thrown away."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

from companion.memory import LongTerm


class Words:
    """An embedder without a network: texts are alike that share words."""

    def embed(self, texts):
        rows = np.zeros((len(texts), 384), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in "".join(c if c.isalnum() else " " for c in text.lower()).split():
                row[sum(map(ord, word)) % 384] += len(word) > 2
            row[383] += 0.1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _postgres() -> Path | None:
    found = shutil.which("initdb") or next(map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None)
    return Path(found).parent if found else None


@pytest.fixture(scope="session")
def postgres():
    """The URL of an empty server."""
    binaries = _postgres()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="vasari-postgres-"))  # pytest's own folders are closed to other users
    become = {}
    if os.geteuid() == 0:  # the server refuses to be root
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        become = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data, run = folder / "data", {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder, **become}
    subprocess.run([binaries / "initdb", "-D", data, "-U", "vasari", "-A", "trust", "-E", "UTF8", "--no-sync"], **run)
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories= -c fsync=off"
    control = [binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    subprocess.run([*control, "-o", options, "start"], **run)
    yield f"postgresql://vasari@127.0.0.1:{port}/postgres"
    subprocess.run([*control, "-m", "immediate", "stop"], **run)
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path):
    """Where a memory lies: a file, or a server that holds nothing."""
    if request.param == "sqlite":
        return str(tmp_path / "deep" / "memories.sqlite")
    from sqlalchemy import create_engine, text

    url = request.getfixturevalue("postgres")
    engine = create_engine(url.replace("postgresql:", "postgresql+pg8000:"))
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return url


@pytest.fixture
def open_memory(place):
    """Open the memory, as a process that starts anew does; a language model that it is given takes notes."""
    opened = []

    def start(**options):
        opened.append(LongTerm(place, embedder=Words(), **{"model_notes": True} | options))
        return opened[-1]

    yield start
    for memory in opened:
        memory.close()
