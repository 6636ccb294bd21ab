"""Conversations that wait for their next line, in each of the databases."""

import pytest

from companion.memory.resumables import Resumables, new_token


@pytest.fixture
def clock():
    return [1000.0]


@pytest.fixture
def open_resumables(place, clock):
    """As a server that starts anew does."""
    opened = []

    def start() -> Resumables:
        opened.append(Resumables(300, place, clock=lambda: clock[0]))
        return opened[-1]

    yield start
    for resumables in opened:
        resumables.close()


async def test_a_conversation_is_found_by_its_token_also_after_a_restart(open_resumables, clock):
    first, mine, other = open_resumables(), new_token(), new_token()
    await first.begin(mine, "anna", b"so far")
    await first.begin(other, "", b"another")
    assert await first.keep(mine, "anna", b"further \x00\xff")
    second = open_resumables()
    assert await second.find(mine) == b"further \x00\xff"
    assert await second.find(new_token()) is None
    await second.drop(mine)
    assert await first.find(mine) is None
    assert not await first.keep(mine, "anna", b"too late")
    assert await first.find(other) == b"another"
    clock[0] += 301
    assert await second.find(other) is None
    await second.purge()
    clock[0] -= 301
    assert await second.find(other) is None, "it is deleted, not hidden"


async def test_all_of_a_user_is_forgotten_and_of_nobody_else(open_resumables):
    kept, tokens = open_resumables(), [new_token() for _ in range(3)]
    for token, user in zip(tokens, ("anna", "anna", "ben"), strict=True):
        await kept.begin(token, user, b"said")
    assert await kept.forget("anna") == 2
    assert [await kept.find(token) for token in tokens] == [None, None, b"said"]
