"""A face whose pictures say what is heard with them."""

import pytest

from animator.live import LiveFace
from tests import lamps


@pytest.fixture
def lamp() -> LiveFace:
    return lamps.lamp()
