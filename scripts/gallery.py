"""Makes docs/gallery.md and its pictures: the faces of docs/gallery/faces.toml, speaking, moved, in moods."""

import tomllib
from pathlib import Path

from PIL import Image

from animator.evaluate.stills.sheet import MOUTHS, Tiles, strip
from animator.evaluate.wishes.sweep import mood, row
from animator.portrait.characters import find
from animator.portrait.portrait import Portrait, load
from animator.render import Renderer
from animator.render.neutral.parted import parting

DOCS = Path(__file__).parents[1] / "docs"
FOLDER = DOCS / "gallery"
SIDE = 200  # px of one tile
INTRODUCTION = """# What to expect of a picture

Every strip shows, from the left: the picture at rest, which is left as it is; *ah*; *oh*; half a blink; the head turned
by 12 degrees with the eyes on you; happy; sad; surprised; thoughtful. Under it stands what fails.

Made by `python scripts/gallery.py`; for a face of your own: `animator evaluate picture.jpg --sheet sheet.png`.
"""
ENDING = """
## What does not work yet

- Profiles, and mouths behind hands, masks or microphones: you are told.
- Eyes behind dark glasses or hair: they stay as they are, and you are told.
- Drawings and people who lie on their side or stand on their head: people are turned upright, drawings only where
  they look much like people.
- Drawings in which neither the networks nor contours (two eyes and a mouth on one ground) show a face, until you
  place its points: on the page, or `animator portrait --help`.
- Heads turned by more than about 20 degrees: far cheeks and ears are guessed.
- Hair, hats and glasses move rigidly with the head; nothing swings.

Faces that speak: [before and after](speaking.md), thirteen pictures.
"""


def main() -> None:
    """Writes all strips and the page."""
    faces = tomllib.loads((FOLDER / "faces.toml").read_text("utf-8"))["face"]
    page = [INTRODUCTION]
    for face in faces:
        picture = FOLDER / face["picture"]
        portrait = load(picture if picture.is_file() else find(face["picture"]).picture)
        image = strip(Renderer(portrait), tiles(portrait), SIDE)
        Image.fromarray(image).save(FOLDER / f"{face['name']}.jpg", quality=84, optimize=True)
        page.append(
            f"\n## {face['title']}\n\n![{face['title']}](gallery/{face['name']}.jpg)\n\n"
            f"{face['remark']} *{face['credit']}.*\n"
        )
    (DOCS / "gallery.md").write_text("".join([*page, ENDING]), "utf-8")


def tiles(portrait: Portrait) -> Tiles:
    """Captions and motion rows of one strip."""
    moods = ("happy", "sad", "surprised", "thoughtful")
    return {
        "rest": row(),
        "ah": MOUTHS["ah"],
        "oh": MOUTHS["oh"],
        "half a blink": row(eyeBlink=0.5),
        "turned": row(head_yaw=-12 if portrait.pose[0] < 0 else 12),
    } | {name: mood(name, 1.0, parting(portrait)) for name in moods}


if __name__ == "__main__":
    main()
