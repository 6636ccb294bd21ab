"""The ids of sessions, responses, items and calls."""

import uuid


def new_id(kind: str) -> str:
    """``"item"`` -> ``"item_3f..."``."""
    return f"{kind}_{uuid.uuid4().hex[:21]}"
