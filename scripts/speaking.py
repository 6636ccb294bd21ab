"""Makes docs/speaking.md and its strips: ``python -m scripts.speaking PICTURES SOUND BEFORE``.

PICTURES has a picture NAME.* of every face of docs/gallery/speaking/faces.toml, SOUND is what they say. BEFORE has
NAME.mp4, a video of each by the version to compare with, made there by
`animator render PICTURE SOUND BEFORE/NAME.mp4 --seed 1`.
"""

import argparse
import tempfile
import tomllib
from pathlib import Path

from PIL import Image

from animator.control import Control
from animator.evaluate.stills.beside import save
from animator.evaluate.suite import PICTURES
from animator.export import speak, write
from animator.live import Animator
from animator.media.files import read_audio
from animator.units import RATE, Samples

DOCS = Path(__file__).parents[1] / "docs"
FOLDER = DOCS / "gallery" / "speaking"
SECONDS, SIZE, SEED = 4.0, 512, 1
STRIP_WIDTH = 1440  # px


def main() -> None:
    """Writes all strips and the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for name in ("pictures", "sound", "before"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    told = tomllib.loads((FOLDER / "faces.toml").read_text("utf-8"))
    sound = read_audio(arguments.sound)[: round(SECONDS * RATE)]
    page = [f"# Faces that speak, before and after\n\n{told['introduction']}"]
    for face in told["face"]:
        picture = next(p for p in sorted(arguments.pictures.glob(f"{face['name']}.*")) if p.suffix in PICTURES)
        draw_strip(picture, sound, arguments.before / f"{face['name']}.mp4", FOLDER / f"{face['name']}.jpg")
        page.append(
            f"\n## {face['title']}\n\n![{face['title']}](gallery/speaking/{face['name']}.jpg)\n\n"
            f"{face['remark']} *{face['credit']}.*\n"
        )
    (DOCS / "speaking.md").write_text("".join(page), "utf-8")


def draw_strip(picture: Path, sound: Samples, before: Path, strip: Path) -> None:
    """Frames of the video ``before``, and below them those of ``picture`` that says ``sound`` now."""
    animator = Animator(SIZE, seed=SEED, marks=())
    face = animator.open(animator.prepare(picture))
    with tempfile.TemporaryDirectory() as folder:
        video, wide = Path(folder, "now.mp4"), Path(folder, "strip.png")
        write(speak(face, sound, Control("speaking")), SIZE, video)
        save((before, video), wide)
        with Image.open(wide) as image:
            height = round(image.height * STRIP_WIDTH / image.width)
            image.resize((STRIP_WIDTH, height), Image.Resampling.LANCZOS).save(strip, quality=84, optimize=True)


if __name__ == "__main__":
    main()
