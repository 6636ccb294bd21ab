"""The shipped characters and uploaded pictures."""

from types import SimpleNamespace

import pytest

from companion.portraits import Gallery, PictureError


@pytest.fixture
def gallery(monkeypatch):
    monkeypatch.setattr(Gallery, "_prepare", lambda self, source: SimpleNamespace(of=source, warnings=("two faces",)))
    return Gallery(64, uploads=2)


def test_every_shipped_character_has_a_picture_and_a_credit(gallery):
    cards = gallery.characters()
    assert len(cards) >= 3
    for card in cards:
        assert card.title
        assert card.credit
        data, kind = gallery.picture(card.name)
        assert len(data) > 1000
        assert kind.startswith("image/")


def test_uploads_are_kept_up_to_a_bound_and_warn(gallery):
    first, second, third = (gallery.add(data) for data in (b"1", b"2", b"3"))
    assert first.warnings == ("two faces",)
    assert not gallery.has(first.id)
    assert gallery.load(second.id).of == b"2"
    assert gallery.load(third.id).of == b"3"
    with pytest.raises(PictureError, match="no character"):
        gallery.load(first.id)


def test_an_uploaded_picture_is_nobody_else_s_to_guess(gallery):
    assert len({gallery.add(b"x").id for _ in range(5)}) == 5
    with pytest.raises(PictureError):
        gallery.picture(gallery.add(b"x").id)


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(100)])
def test_what_is_no_picture_has_a_code(data):
    with pytest.raises(PictureError) as caught:
        Gallery(64).add(data)
    assert caught.value.code == "unreadable_picture"
