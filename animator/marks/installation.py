"""Who signs on this machine: a key of its own with a certificate, made once, or those of the operator."""

import datetime
import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from animator.storage import data_folder

ID_BITS = 24
# Files outlive their certificate; then their credentials can no longer be verified.
CERTIFICATE_LIFE = datetime.timedelta(days=3650)
ORGANISATION = "Vasari installation"
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
_CERTIFICATE_FILE, _KEY_FILE, _AUTHORITY_FILE = "certificate.pem", "key.pem", "authority.pem"

_KEY_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


class SigningError(Exception):
    """There is no key to sign with, or a file could not be signed or read. The message says what happened."""


@dataclass(frozen=True, slots=True)
class Signer:
    """``chain`` are certificates as PEM, the signer's own first; ``key`` is its private key, PEM without a password;
    ``algorithm`` is C2PA's name of how it signs."""

    chain: str
    key: str
    algorithm: str


@dataclass(frozen=True, slots=True)
class Installation:
    """``id`` is a number of `ID_BITS` bits, the same as long as the key is; ``authority`` the certificate (PEM) by
    which others can tell this installation's signature."""

    id: int
    signer: Signer
    authority: str


def installation() -> Installation:
    """The one of this machine and user, made if there is none yet. Its key can be read by its owner alone.

    Raises SigningError when its folder cannot be written or what is in it cannot be used.
    """
    folder = data_folder() / "marks"
    try:
        if not folder.is_dir():
            _make(folder)
        signer = operators(folder / _CERTIFICATE_FILE, folder / _KEY_FILE)
        authority = (folder / _AUTHORITY_FILE).read_text("ascii")
    except (OSError, ValueError) as error:
        raise SigningError(f"The signing key in {folder} cannot be made or read: {error}") from error
    key = x509.load_pem_x509_certificate(authority.encode()).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    digest = hashlib.sha256(key.public_bytes(serialization.Encoding.DER, form)).digest()
    return Installation(int.from_bytes(digest) >> (len(digest) * 8 - ID_BITS), signer, authority)


def operators(certificate: Path, key: Path) -> Signer:
    """A signer out of two PEM files: a chain of certificates, the signer's own first, and its key without a password.

    Raises SigningError for files that are missing, do not belong together, or hold a key that C2PA does not know.
    """
    try:
        chain, secret = certificate.read_text("ascii"), key.read_text("ascii")
        owner = x509.load_pem_x509_certificate(chain.encode())
        private = serialization.load_pem_private_key(secret.encode(), None)
    except (OSError, ValueError, TypeError) as error:  # TypeError: the key has a password
        raise SigningError(f"{certificate} and {key} are no certificate and key to sign with: {error}") from error
    if owner.public_key() != private.public_key():
        raise SigningError(f"{key} is not the key of {certificate}.")
    return Signer(chain, secret, _algorithm(private, key))


def _algorithm(key: object, file: Path) -> str:
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
        return "ps256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    raise SigningError(f"{file} holds a key that C2PA does not know: use ECDSA (P-256), RSA (2048 bits) or Ed25519.")


def _make(folder: Path) -> None:
    """Writes authority, certificate and key, as a whole: of two processes one is first, and both read what it wrote.
    The authority's own key is forgotten at once, so that nobody can issue more in its name."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("authority", authority_key, "authority", authority_key)
    own = _certificate("signer", key, "authority", authority_key)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=".marks-", dir=folder.parent))  # which only the owner may enter
    try:
        for name, content in ((_AUTHORITY_FILE, authority), (_CERTIFICATE_FILE, own + authority), (_KEY_FILE, secret)):
            with os.fdopen(os.open(new / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                file.write(content)
        new.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey
) -> bytes:
    """As C2PA's certificate profile wants it: a signer's is not its own authority, and says what it is for."""
    itself = key is issuer_key
    now = datetime.datetime.now(datetime.UTC)
    allowed = {
        usage: usage in (("key_cert_sign", "crl_sign") if itself else ("digital_signature",)) for usage in _KEY_USAGES
    }
    made = (
        x509.CertificateBuilder(_name(issuer), _name(name), key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))  # clocks differ
        .not_valid_after(now + CERTIFICATE_LIFE)
        .add_extension(x509.BasicConstraints(itself, 0 if itself else None), True)
        .add_extension(x509.KeyUsage(**allowed), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False)
    )
    if not itself:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
    return made.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _name(common: str) -> x509.Name:
    parts = ((NameOID.ORGANIZATION_NAME, ORGANISATION), (NameOID.COMMON_NAME, common))
    return x509.Name([x509.NameAttribute(*part) for part in parts])
