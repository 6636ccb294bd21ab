from collections.abc import Callable

import pytest

from animator.portrait.characters import find
from animator.portrait.finding.landmarks import Landmarker
from animator.portrait.picture.reading import Picture, decode, read
from animator.portrait.portrait import Portrait, load
from tests.portrait.faces import Faces, read_faces


@pytest.fixture(scope="session")
def landmarker() -> Landmarker:
    return Landmarker()


@pytest.fixture(scope="session")
def faces() -> Faces:
    return read_faces()


@pytest.fixture(scope="session")
def photo() -> Picture:
    return decode(read(find("astronaut").picture)).picture


@pytest.fixture(scope="session")
def portrait_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Portrait]:
    """Prepares a shipped character, in a cache of these tests only."""
    made: dict[str, Portrait] = {}

    def get(name: str) -> Portrait:
        if name not in made:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("VASARI_CACHE", str(tmp_path_factory.mktemp("cache")))
                made[name] = load(find(name).picture)
        return made[name]

    return get
