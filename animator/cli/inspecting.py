"""``animator inspect``: the marks of a video or a sound, in plain words; and the signer of `animator render`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from animator.cli.terminal import fail, picture_file

if TYPE_CHECKING:
    from animator.marks.credentials import Ingredient, Statement
    from animator.marks.installation import Signer
    from animator.marks.tiles import Payload

_VERDICTS = {
    "none": "It carries no signed credentials (C2PA). That proves nothing: they are easily removed.",
    "changed": "It was CHANGED since it was signed, or its signature is not valid: believe nothing that it says.",
    "unknown signer": "It is as it was signed, by somebody whose certificate is not known on this machine.",
    "known signer": "It is as it was signed, by this installation.",
}


def made_from(portrait: str, heard: Path | None) -> "list[Ingredient]":
    """The picture and the speech of a video; a file that is missing ends the command with a message."""
    from animator.marks.credentials import Ingredient

    files = {"portrait": picture_file(portrait), "speech": heard}
    try:
        return [Ingredient.of_file(title, file) for title, file in files.items() if file]
    except OSError as error:
        fail(f"{error.filename} cannot be read: {error.strerror}.")


def signer(certificate: Path | None, key: Path | None) -> "Signer | None":
    """The operator's, if one is given; otherwise the installation signs."""
    from animator.marks.installation import SigningError, operators

    if not certificate and not key:
        return None
    if not certificate or not key:
        fail("--certificate and --key belong together.")
    try:
        return operators(certificate, key)
    except SigningError as error:
        fail(str(error))


def inspect(
    video: Annotated[Path, typer.Argument(help="The file to look at.", exists=True, dir_okay=False)],
    only_json: Annotated[bool, typer.Option("--json", help="Print nothing but one JSON object.")] = False,
) -> None:
    """Shows the credentials of VIDEO, whether they are valid, and the marks in its pictures and its sound."""
    from animator.marks.credentials import read
    from animator.marks.installation import SigningError

    try:
        found = read(video)
    except SigningError as error:
        fail(str(error))
    spoken = _listened_for(video)
    mark = _looked_for(video, fatal=found.state == "none" and spoken is None)
    if only_json:
        seen = mark and {"installation": f"{mark.installation:06x}", "day": mark.day.isoformat()}
        typer.echo(json.dumps({"credentials": asdict(found), "watermark": seen, "speech": spoken}))
    else:
        for line in (*_lines(found), _watermark(mark), _speech(spoken)):
            Console().print(escape(line), soft_wrap=True, highlight=False)


def _looked_for(video: Path, fatal: bool) -> "Payload | None":
    from animator.marks.invisible import look
    from animator.media.files import MediaError

    try:
        return look(video)
    except MediaError as error:
        if fatal:
            fail(str(error))
        return None  # sound alone


def _listened_for(video: Path) -> float | None:
    """How surely the speech in it is marked, 0 to 1; None where that cannot be told."""
    from animator.marks.spoken import fetched, heard
    from animator.media.files import read_tracks

    perth = fetched()
    sounds = read_tracks(video) if perth else []
    return round(max(heard(perth, sound) for sound in sounds), 3) if sounds and perth else None


def _speech(surely: float | None) -> str:
    from animator.marks.spoken import FOUND

    if surely is None:
        return "Whether its sound is marked cannot be told: there is none, or not the networks (companion setup)."
    if surely < FOUND:
        return "No mark of synthetic speech was found in its sound. That proves nothing."
    return "Its sound carries the mark of synthetic speech (Perth), which says nothing of who made it."


def _watermark(mark: "Payload | None") -> str:
    from animator.marks.installation import SigningError, installation

    if mark is None:
        return "No watermark was found in its pictures. That proves nothing."
    try:
        whose = "this installation" if mark.installation == installation().id else "another installation"
    except SigningError:
        whose = "an installation"
    return f"A watermark says that its pictures were drawn by {whose} ({mark.installation:06x}) on {mark.day}."


def _lines(found: "Statement") -> list[str]:
    if found.state == "none":
        return [_VERDICTS["none"]]
    kind = found.source_type.rpartition("/")[2] or "not said"
    parts = [f"  made from     {title}, SHA-256 {sha256 or 'not said'}" for title, sha256 in found.ingredients]
    return [
        f"{found.description or 'What it is, it does not say.'}",
        f"  made by       {found.maker}, {found.at or 'no time said'} (by its maker's clock)",
        f"  kind          {kind}",
        *parts,
        f"  signed by     {found.signer}",
        _VERDICTS[found.state],
        *(f"  {problem}" for problem in found.problems),
    ]
