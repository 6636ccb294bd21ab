"""How many hostile messages there are: 500, or as many as `--messages` says, e.g. 10,000 at night."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--messages", type=int, default=500, help="hostile messages of tests/abuse")


@pytest.fixture(scope="session")
def messages(request: pytest.FixtureRequest) -> int:
    return request.config.getoption("--messages", 500)  # where pytest was started for more than this folder
