"""What is computed once and kept: made again whenever it is not what was kept."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from companion.models import embeddings, locate

CONTENT = b"graph" * 100_000


def test_all_that_need_it_may_make_it_at_once(tmp_path: Path) -> None:
    target = tmp_path / "kept"
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(locate.once, target, lambda: CONTENT) for _ in range(40)]:
            assert done.result() == CONTENT
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("damage", ["missing", "empty", "short", "zeros", "a bit"])
def test_what_is_damaged_is_made_again(tmp_path: Path, damage: str) -> None:
    target, made = tmp_path / "kept", list[bytes]()

    def make() -> bytes:
        made.append(CONTENT)
        return CONTENT

    assert locate.once(target, make) == locate.once(target, make) == CONTENT
    assert len(made) == 1
    whole = target.read_bytes()
    if damage == "missing":
        target.unlink()
    else:
        flipped = whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:]
        target.write_bytes({"empty": b"", "short": whole[:-1], "zeros": bytes(len(whole)), "a bit": flipped}[damage])
    assert locate.once(target, make) == locate.once(target, make) == CONTENT
    assert len(made) == 2


def test_where_nothing_can_be_kept_it_is_made_each_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert locate.once(tmp_path / "file" / "kept", lambda: CONTENT) == CONTENT


@pytest.mark.model
def test_the_network_of_meanings_survives_a_damaged_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    weights = locate.resolve("minilm")
    monkeypatch.setenv("VASARI_CACHE", str(tmp_path))
    made = embeddings._graph(weights)
    (kept,) = (tmp_path / "minilm").iterdir()
    kept.write_bytes(b"")
    assert embeddings._graph(weights) == made
