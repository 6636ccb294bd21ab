"""What to expect of a portrait, in plain words for the person who chose the picture."""

from animator.portrait.framing import Cut

_SHARP_FACE = 110  # px; below, the face is visibly soft at 512


def remarks(framed: Cut) -> tuple[str, ...]:
    """The warnings of a portrait; none for a picture that will do well."""
    found: list[str] = []
    if framed.faces > 1:
        found.append(f"{framed.faces} faces were found; the largest one is used.")
    if framed.face_px < _SHARP_FACE:
        found.append(f"The face is only {framed.face_px:.0f} px high: it will look soft.")
    return tuple(found)
