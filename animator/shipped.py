"""Files that are shipped beside the code."""

import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "assets"
SHA256 = {
    "face_landmarker.task": "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
    "selfie_segmentation.tflite": "8d13b7fae74af625c641226813616a2117bd6bca19eb3b75574621fc08557f27",
}


@cache
def read(name: str) -> bytes:
    """The content of the shipped file ``name``, one of `SHA256`; RuntimeError when it has changed."""
    content = (FOLDER / name).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256[name]:
        raise RuntimeError(f"{FOLDER / name} has SHA-256 {found}, expected {SHA256[name]}: reinstall the package")
    return content
