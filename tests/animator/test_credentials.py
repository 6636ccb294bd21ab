"""What a video says of its making, whether it can be believed, and who signs it."""

import datetime
import hashlib
import logging
import multiprocessing
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from typer.testing import CliRunner

from animator.__main__ import app
from animator.marks.credentials import SOURCE_TYPE, Ingredient, Signature, read
from animator.marks.installation import SigningError, installation, operators
from animator.media.files import Mp4Writer

PICTURE = b"a picture's file"


def video(path: Path, signature: Signature | None = None) -> Path:
    frames = np.random.default_rng(0).integers(0, 255, (5, 64, 64, 3), np.uint8)
    with Mp4Writer(path, 64, 64, finish=signature) as writer:
        writer.write(frames, np.zeros(5 * 960, np.float32))
    return path


def signed(path: Path) -> Path:
    return video(path, Signature([Ingredient.of("portrait", PICTURE), Ingredient.of("speech", b"a sound's")]))


def inspect(path: Path) -> str:
    return " ".join(CliRunner().invoke(app, ["inspect", str(path)]).output.split())


def test_a_video_says_that_it_is_synthetic_of_what_and_by_whom(tmp_path: Path) -> None:
    found = read(signed(tmp_path / "a.mp4"))
    assert (found.state, found.source_type, found.problems) == ("known signer", SOURCE_TYPE, ())
    assert dict(found.ingredients) == {
        "portrait": hashlib.sha256(PICTURE).hexdigest(),
        "speech": hashlib.sha256(b"a sound's").hexdigest(),
    }
    assert abs(datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(found.at)).total_seconds() < 60
    words = inspect(tmp_path / "a.mp4")
    assert "A synthetic video" in words and "made by Vasari" in words and "signed, by this installation." in words


def test_a_changed_picture_is_noticed_and_a_video_without_credentials_is_none(tmp_path: Path) -> None:
    file = signed(tmp_path / "a.mp4")
    content = bytearray(file.read_bytes())
    content[content.rindex(b"mdat") + 500] ^= 1
    file.write_bytes(content)
    assert read(file).state == "changed" and "CHANGED" in inspect(file)
    plain = video(tmp_path / "b.mp4")
    assert read(plain).state == "none" and "no signed credentials" in inspect(plain)
    sound = tmp_path / "c.mkv"
    sound.write_bytes(b"no video at all")
    assert read(sound).state == "none"


def test_another_machine_does_not_know_the_signer_but_sees_that_nothing_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = signed(tmp_path / "a.mp4")
    monkeypatch.setenv("VASARI_DATA", str(tmp_path / "elsewhere"))
    assert read(file).state == "unknown signer"
    assert "not known on this machine" in inspect(file)


def test_the_key_is_made_once_and_nobody_else_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VASARI_DATA", str(tmp_path))
    with multiprocessing.get_context("fork").Pool(3) as pool:
        first, *others = pool.starmap(installation, [()] * 3)
    assert all(other == first for other in [*others, installation()]) and 0 <= first.id < 1 << 24
    folder = tmp_path / "marks"
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    assert [entry.name for entry in tmp_path.iterdir()] == ["marks"], "no half-made folder is left"


def test_an_operator_signs_with_a_certificate_of_their_own(tmp_path: Path) -> None:
    root, own = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, name)]) for name in ("A root", "A school")]
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
         "encipher_only", "decipher_only"), False,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder(names[0], names[1], own.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(x509.KeyUsage(digital_signature=True, **usage), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()), False)
        .sign(root, None)
    )
    pem = serialization.Encoding.PEM
    form, bare = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    chain, key, other = (tmp_path / name for name in ("chain.pem", "key.pem", "other.pem"))
    chain.write_bytes(certificate.public_bytes(pem))
    key.write_bytes(own.private_bytes(pem, form, bare))
    other.write_bytes(root.private_bytes(pem, form, bare))
    found = read(video(tmp_path / "a.mp4", Signature([], operators(chain, key))))
    assert found.state == "unknown signer" and found.signer.startswith("A school")
    with pytest.raises(SigningError, match="is not the key of"):
        operators(chain, other)
    with pytest.raises(SigningError, match="no certificate and key"):
        operators(chain, tmp_path / "none.pem")


def test_a_video_that_cannot_be_signed_is_kept_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    monkeypatch.setenv("VASARI_DATA", str(blocked))
    with caplog.at_level(logging.WARNING):
        file = signed(tmp_path / "a.mp4")
    assert "carries no signed credentials" in caplog.text
    assert read(file).state == "none" and file.stat().st_size > 1000
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.mp4", "blocked"]
