"""Which face a session wears, and how it comes by another."""

import asyncio
import time

import pytest

from companion.avatar.cartoon import CartoonAnimator, CartoonFace
from companion.avatar.device import Threads
from companion.avatar.portraits import PictureError
from companion.call.virtual_time import run
from companion.protocol import events
from tests.loop.conversation import Conversation, Inline, engine


@pytest.mark.parametrize(
    ("changes", "faces"),
    [
        ([{"avatar": {}}, {"persona": "bert"}, {"persona": "anna"}], ["dot", "circle", "dot"]),
        ([{"persona": "bert", "avatar": {"character": "dot"}}], ["dot"]),
        ([{"avatar": {}}, {"persona": "bert", "avatar": {"character": "dot"}}], ["dot", "dot"]),
        ([{"avatar": {}}, {"persona": "bert", "avatar": {"emotion": "happy"}}], ["dot", "circle"]),
        (
            [{"persona": "bert", "avatar": {}}, {"avatar": {"character": "dot"}}, {"persona": "anna"}],
            ["circle", "dot", "dot"],
        ),
        ([{"avatar": {}}, {"persona": "bert"}, {"instructions": "Be brief."}], ["dot", "circle", "circle"]),
    ],
)
def test_a_persona_brings_its_face_and_takes_it_along(changes, faces):
    async def script():
        async with Conversation(engine()) as talk:
            for change in changes:
                talk.send(events.SessionUpdate(change))
            return talk

    assert [e.session["avatar"]["character"] for e in run(script()).all(events.SessionUpdated)] == faces


@pytest.mark.parametrize("first", [RuntimeError("no picture"), PictureError("unknown_portrait", "It is gone.")])
def test_a_face_that_failed_is_chosen_again(first):
    class Once(CartoonAnimator):
        opened = 0

        def open(self, portrait):
            self.opened += 1
            if self.opened == 1:
                raise first
            return super().open(portrait)

    async def script():
        animator = Once(16)
        async with Conversation(engine(animator=animator), avatar=True) as talk:
            talk.send(events.SessionUpdate({"instructions": "Be brief."}))
            await asyncio.sleep(0.5)
            assert animator.opened == 1 and not talk.all(events.VideoDelta)
            for _ in range(2):
                talk.send(events.SessionUpdate({"avatar": {"character": "dot"}}))
                await talk.until(events.VideoDelta)
                await asyncio.sleep(0.5)
            return animator.opened, len(talk.all(events.Error))

    assert run(script()) == (2, 1)


def test_a_face_that_fails_while_it_is_worn_is_chosen_again():
    class Face(CartoonFace):
        def step(self, audio, control, other=None, every=1):
            if control.emotion == "angry":
                raise RuntimeError("no picture")
            return super().step(audio, control, other, every)

    class Animator(CartoonAnimator):
        def open(self, portrait):
            return Face(16, 2, 0)

    async def script():
        async with Conversation(engine(animator=Animator(16)), avatar=True) as talk:
            talk.send(events.AvatarControl(emotion="angry"))
            await talk.until(events.Error)
            talk.send(events.AvatarControl(emotion="happy"))
            seen = len(talk.all(events.VideoDelta))
            talk.send(events.SessionUpdate({"avatar": {"character": "dot"}}))
            await asyncio.sleep(1.0)
            return len(talk.all(events.VideoDelta)) - seen

    assert run(script()) > 10


def test_of_many_changes_of_a_face_the_last_counts_and_few_are_made():
    """Opening a face takes one of the threads that draw those of others."""

    class Counting(CartoonAnimator):
        opened = 0

        def open(self, portrait):
            self.opened += 1
            return super().open(portrait)

    async def script():
        animator, device = Counting(16), Inline(0.05)
        async with Conversation(engine(animator=animator, device=device)) as talk:
            for number in range(600):
                talk.send(events.SessionUpdate({"avatar": {"character": ("dot", "circle")[number % 2]}}))
                talk.send(events.SessionUpdate({"avatar": None}))
                if number % 20 == 0:
                    await asyncio.sleep(0.01)
            talk.send(events.SessionUpdate({"avatar": {"character": "circle"}}))
            await talk.until(events.VideoDelta)
            return animator.opened, talk.session._wardrobe._chosen[0]

    opened, worn = run(script())
    assert opened <= 5
    assert worn == "circle"


async def test_work_that_nobody_waits_for_any_more_is_not_begun():
    begun = []
    device = Threads(1)
    slow = asyncio.create_task(device.run(time.sleep, 0.2))
    await asyncio.sleep(0.05)
    waiting = [asyncio.create_task(device.run(begun.append, number)) for number in range(5)]
    await asyncio.sleep(0)
    for task in waiting[:4]:
        task.cancel()
    await asyncio.gather(slow, *waiting, return_exceptions=True)
    device.close()
    assert begun == [4]
