import pytest

from animator.portrait.characters import find
from animator.portrait.portrait import Portrait, load
from animator.render import Renderer


@pytest.fixture(scope="session", params=["mona_lisa", "astronaut"])
def portrait(request: pytest.FixtureRequest) -> Portrait:
    """One with closed lips that looks aside, one with parted lips that looks ahead."""
    return load(find(request.param).picture)


@pytest.fixture(scope="session")
def renderer(portrait: Portrait) -> Renderer:
    return Renderer(portrait)
