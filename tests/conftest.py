"""What all tests share: none touches what the user of this machine keeps."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = os.environ.get("VASARI_DATA")
    os.environ["VASARI_DATA"] = str(tmp_path_factory.mktemp("data"))
    yield
    os.environ.pop("VASARI_DATA")
    if before is not None:
        os.environ["VASARI_DATA"] = before
