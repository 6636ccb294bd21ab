"""The shipped characters and uploaded pictures."""

import hashlib
import io
import json
from types import SimpleNamespace

import pytest
from PIL import Image

from animator.portrait.characters import find
from animator.portrait.picture.named import Landmarks, parse
from companion.avatar import portraits
from companion.avatar.portraits import Gallery, PictureError


@pytest.fixture
def gallery(monkeypatch):
    def prepared(self, source, landmarks=None):
        named = Landmarks({"chin": (3.0, 4.0)}, 10, 10) if landmarks is None else parse(landmarks)
        say = {"named": lambda: named, "other_faces": list}
        return SimpleNamespace(of=source, warnings=("two faces",), doubtful=False, drawing=(named.drawn, False), **say)

    monkeypatch.setattr(Gallery, "_prepare", prepared)
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


CHIN = b'{"width": 10, "height": 10, "points": {"chin": [5, 6]}}'


def test_landmarks_are_corrected_in_place(gallery):
    upload = gallery.add(b"1")
    assert upload.landmarks == {"width": 10, "height": 10, "points": {"chin": [3.0, 4.0]}}
    assert gallery.correct(upload.id, CHIN).landmarks["points"] == {"chin": [5.0, 6.0]}
    assert gallery.upload(upload.id).landmarks["points"] == {"chin": [5.0, 6.0]}
    assert gallery.load(upload.id).named().points == {"chin": (5.0, 6.0)}
    assert gallery.add(b"1", CHIN).landmarks["points"] == {"chin": [5.0, 6.0]}
    for forgotten in ("mona_lisa", "upload_guessed"):
        with pytest.raises(PictureError) as caught:
            gallery.correct(forgotten, CHIN)
        assert caught.value.code == "unknown_portrait"


def test_what_was_taken_for_a_drawing_or_not_is_corrected(gallery):
    upload = gallery.add(b"1")
    assert not upload.drawn
    assert gallery.correct(upload.id, b'{"width": 10, "height": 10, "points": {}, "drawn": true}').drawn
    assert gallery.upload(upload.id).drawn


def test_the_files_of_old_uploads_make_room(gallery, monkeypatch):
    monkeypatch.setattr(portraits, "MOST_BYTES", 5)
    first, second = gallery.add(b"1234"), gallery.add(b"5678")
    assert gallery.load(first.id).of == b"1234"
    gallery.correct(second.id, CHIN)
    with pytest.raises(PictureError) as caught:
        gallery.correct(first.id, CHIN)
    assert caught.value.code == "picture_forgotten"


@pytest.mark.model
def test_a_real_picture_is_corrected_and_shown():
    gallery = Gallery(128)
    upload = gallery.add(find("mona_lisa").picture.read_bytes())
    assert not upload.check
    x, y = upload.landmarks["points"]["chin"]
    points = upload.landmarks | {"points": upload.landmarks["points"] | {"chin": [x, y + 40]}}
    corrected = gallery.correct(upload.id, json.dumps(points).encode())
    assert corrected.landmarks["points"]["chin"] == pytest.approx([x, y + 40], abs=0.2)
    with Image.open(io.BytesIO(gallery.source(upload.id))) as shown:
        assert (shown.format, shown.size) == ("JPEG", (743, 1155))
    blank = io.BytesIO()
    Image.new("RGB", (90, 80)).save(blank, "PNG")
    with pytest.raises(PictureError) as caught:
        gallery.add(blank.getvalue())
    assert caught.value.code == "no_face"
    assert (caught.value.landmarks["width"], caught.value.landmarks["height"]) == (90, 80)


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(100)])
def test_what_is_no_picture_has_a_code(data):
    with pytest.raises(PictureError) as caught:
        Gallery(64).add(data)
    assert caught.value.code == "unreadable_picture"


def test_a_picture_that_somebody_wears_stays(gallery):
    worn = gallery.add(b"1")
    hold = gallery.hold(worn.id)
    later = [gallery.add(data) for data in (b"2", b"3", b"4")]
    assert gallery.has(worn.id) and gallery.load(worn.id).of == b"1"
    assert [gallery.has(upload.id) for upload in later] == [False, False, True]
    also = gallery.hold(later[-1].id)
    with pytest.raises(PictureError) as full:
        gallery.add(b"5")
    assert full.value.code == "no_room"
    del hold, also
    assert gallery.add(b"6")
    assert not gallery.has(worn.id)


def test_a_withdrawn_picture_is_gone_with_all_its_copies_though_it_is_worn(gallery):
    gallery._limit = 4
    once, again, alone, other = (gallery.add(data) for data in (b"1", b"1", b"2", b"3"))
    hold = gallery.hold(again.id)
    assert gallery.sha256(once.id) == hashlib.sha256(b"1").hexdigest()
    gallery.forget_file(gallery.sha256(once.id))
    gallery.forget(alone.id)
    assert [gallery.has(upload.id) for upload in (once, again, alone, other)] == [False, False, False, True]
    del hold


def test_one_visitor_pushes_out_no_picture_of_another(gallery):
    gallery._limit = 4
    anna = gallery.add(b"1", owner="anna")
    bert = [gallery.add(b"2", owner="bert") for _ in range(20)]
    assert gallery.has(anna.id)
    carl = gallery.add(b"3", owner="carl")
    assert gallery.has(anna.id) and gallery.has(carl.id)
    assert [gallery.has(upload.id) for upload in bert] == [False] * 18 + [True] * 2
