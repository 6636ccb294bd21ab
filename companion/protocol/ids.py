"""Random ids of sessions, responses, items, calls and requests."""

import uuid


def new_id(kind: str) -> str:
    """A new id: ``kind``, "_" and 21 random hexadecimal digits, such as ``"item_3f..."`` for ``"item"``."""
    return f"{kind}_{uuid.uuid4().hex[:21]}"
