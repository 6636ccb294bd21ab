"""Content credentials (C2PA, https://spec.c2pa.org): how a video says that it is synthetic, and the check of it."""

import datetime
import hashlib
import json
import logging
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, Self, cast

from animator.marks.installation import Signer, SigningError, installation

# What was filmed or painted, moved by networks that learned how: IPTC's digital source types, which C2PA takes over.
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
DESCRIPTION = "A synthetic video: one picture, moved by software to go with a voice. No camera filmed this."

State = Literal["none", "changed", "unknown signer", "known signer"]
Json = dict[str, Any]

_HASH_PREFIX = "urn:sha256:"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ingredient:
    """What a video was made from. ``title`` says what it is, not whose; ``sha256`` is that of its file, in hex."""

    title: str
    sha256: str

    @classmethod
    def of(cls, title: str, content: bytes) -> Self:
        return cls(title, hashlib.sha256(content).hexdigest())

    @classmethod
    def of_file(cls, title: str, path: Path) -> Self:
        """Raises OSError."""
        with path.open("rb") as file:
            return cls(title, hashlib.file_digest(file, "sha256").hexdigest())


@dataclass(frozen=True, slots=True)
class Statement:
    """What a file says of its making. ``at`` is by its maker's clock; ``ingredients`` are titles and SHA-256 ("" where
    none is named)."""

    state: State
    maker: str = ""
    at: str = ""
    source_type: str = ""
    description: str = ""
    ingredients: tuple[tuple[str, str], ...] = ()
    signer: str = ""
    problems: tuple[str, ...] = ()


class Signature:
    """Signs a complete video in place, by ``signer`` or by this installation. A video that cannot be signed stays as it
    is, with a warning."""

    def __init__(self, ingredients: Sequence[Ingredient], signer: Signer | None = None) -> None:
        self._ingredients, self._signer = ingredients, signer

    def __call__(self, video: Path) -> None:
        try:
            sign(video, self._ingredients, self._signer)
        except SigningError as error:
            _log.warning("The video is kept, but carries no signed credentials: %s", error)


def sign(video: Path, ingredients: Sequence[Ingredient], signer: Signer | None = None) -> None:
    """Adds a manifest to the MP4 ``video``, signed by ``signer`` or by this installation.

    The file is copied once. Raises SigningError; then it stays as it was.
    """
    signed = video.with_name(f"{video.stem}.signed{video.suffix}")
    try:
        _sign(video, signed, ingredients, signer or installation().signer)
        signed.replace(video)
    except OSError as error:
        raise SigningError(f"{video.name} cannot be signed: {error.strerror or error}") from error
    finally:
        signed.unlink(missing_ok=True)


def _sign(video: Path, signed: Path, ingredients: Sequence[Ingredient], signer: Signer) -> None:
    from c2pa import Builder, C2paError, C2paSignerInfo, Context
    from c2pa import Signer as Signing

    about = C2paSignerInfo(signer.algorithm.encode(), signer.chain.encode(), signer.key.encode(), None)
    try:
        with (
            Context.from_dict({"builder": {"thumbnail": {"enabled": False}}}) as context,
            Builder(_manifest(ingredients), context) as builder,
            Signing.from_info(about) as signing,
        ):
            builder.sign_file(video, signed, signing)
    except C2paError as error:
        raise SigningError(f"The video cannot be signed: {error}") from error


def _manifest(ingredients: Sequence[Ingredient]) -> Json:
    agent = {"name": "Vasari", "version": version("vasari")}
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    created: Json = {"action": "c2pa.created", "when": now, "digitalSourceType": SOURCE_TYPE, "softwareAgent": agent}
    actions: list[Json] = [created | {"description": DESCRIPTION}]
    for found in ingredients:
        actions.append({"action": "c2pa.placed", "when": now, "parameters": {"ingredientIds": [found.title]}})
    return {
        "claim_generator_info": [agent],
        "format": "video/mp4",
        "ingredients": [_said(found) for found in ingredients],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}],
    }


def _said(found: Ingredient) -> Json:
    identity = {"label": found.title, "instance_id": f"{_HASH_PREFIX}{found.sha256}"}
    return {"title": found.title, "relationship": "componentOf"} | identity


def read(file: Path) -> Statement:
    """What ``file`` says, and whether it still is what was signed. Raises SigningError for one that cannot be read."""
    from c2pa import C2paError, Context, Reader

    if mimetypes.guess_type(file)[0] not in Reader.get_supported_mime_types():
        return Statement("none")
    try:
        trust: Json = {"trust": {"trust_anchors": installation().authority}, "verify": {"verify_trust": True}}
    except SigningError:
        trust = {}  # then nobody is known here
    try:
        with Context.from_dict({**trust, "verify": {"remote_manifest_fetch": False}}) as context:
            reader = Reader.try_create(file, context=context)
            if reader is None:
                return Statement("none")
            with reader:
                found = json.loads(reader.json())
    except (C2paError, OSError) as error:
        raise SigningError(f"The credentials of {file} cannot be read: {error}") from error
    return _statement(found)


def _statement(found: Json) -> Statement:
    active = cast(Json, found["manifests"][found["active_manifest"]])
    maker = active.get("claim_generator_info", [{}])[0]
    created = next(
        (action for assertion in active.get("assertions", []) if assertion["label"].startswith("c2pa.actions")
         for action in assertion["data"]["actions"] if action["action"] == "c2pa.created"), {},
    )  # fmt: skip
    ids = [(part.get("title", "?"), part.get("instance_id", "")) for part in active.get("ingredients", [])]
    results = found.get("validation_results", {}).get("activeManifest", {})
    failures = [failure for failure in results.get("failure", []) if failure["code"] != "signingCredential.untrusted"]
    states: dict[str, State] = {"Trusted": "known signer", "Valid": "unknown signer"}
    signature = active.get("signature_info", {})
    return Statement(
        state="changed" if failures else states.get(found.get("validation_state", ""), "changed"),
        maker=f"{maker.get('name', '?')} {maker.get('version', '')}".strip(),
        at=created.get("when", ""),
        source_type=created.get("digitalSourceType", ""),
        description=created.get("description", ""),
        ingredients=tuple(
            (title, id.removeprefix(_HASH_PREFIX) if id.startswith(_HASH_PREFIX) else "") for title, id in ids
        ),
        signer=f"{signature.get('issuer', '?')}, {signature.get('common_name', '?')}",
        problems=tuple(f"{failure['code']}: {failure.get('explanation', '')}" for failure in failures),
    )
