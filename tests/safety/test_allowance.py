"""How long minors may talk, on a clock that jumps."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from companion.call.virtual_time import run
from companion.config import Care
from companion.memory.talk_times import TalkTimes
from companion.protocol import events
from companion.protocol.settings import Settings, User
from companion.safety import Guard, Safety
from companion.safety.allowance import STORED_EVERY_S, Allowance, Talked
from companion.stages import fakes
from tests.loop.conversation import Conversation, engine
from tests.server.loopback import receive, running, send

NOON = 1_800_000_000.0  # Unix time
CARE = Care(meaning=False, minors_minutes=0.5, minors_day_minutes=0.75, minors_pause_minutes=0.2)


def limited(now: Callable[[], float]) -> Safety:
    """Half a minute in one go, and a word 12 s before its end."""
    safety = Safety(CARE)
    safety.policy = replace(safety.policy, breaks=replace(safety.policy.breaks, soon_minutes=0.2))
    safety.allowance = Allowance(CARE, now)
    return safety


async def talk(limits: Safety, within: float, **settings: Any) -> tuple[float, list[str]]:
    """One conversation: after how many seconds it was over (`inf` for not ``within``), and what was said in it."""
    async with Conversation(engine(safety=limits, llm=fakes.ScriptedLLM(["Fine."]))) as talked:
        talked.send(events.SessionUpdate({"output_modalities": ["text"], "safety": {"minor": True}, **settings}))
        begun = talked.now()
        try:
            await asyncio.wait_for(talked.session.over(), within)
            after = talked.now() - begun
        except TimeoutError:
            after = float("inf")
        return after, [event.text for event in talked.all(events.TextDone)]


def test_a_minor_is_told_before_the_end_and_may_come_back_after_a_pause_and_on_another_day() -> None:
    async def script() -> None:
        shift, loop = 0.0, asyncio.get_running_loop()
        safety = limited(lambda: NOON + shift + loop.time())
        breaks = safety.policy.breaks
        soon, over = breaks.soon.partition("] ")[2], breaks.over.partition("] ")[2]
        kim = {"memory": {"user": "kim", "consent": False}}
        after, said = await talk(safety, 60, **kim)
        assert after == pytest.approx(30, abs=1) and said == [soon, over]
        after, said = await talk(safety, 60, **kim)  # at once: still the same go
        assert after < 1 and said == [over]
        assert await talk(safety, 5, **kim | {"memory": {"user": "lee", "consent": False}}) == (float("inf"), [])
        assert await talk(safety, 40, safety={"minor": False}) == (float("inf"), [])
        after, said = await talk(safety, 60, **kim)  # 15 s are left of this day
        assert after == pytest.approx(15, abs=1.5) and said == [soon, over]
        shift = 86_400.0
        after, said = await talk(safety, 60, **kim)
        assert after == pytest.approx(30, abs=1) and said == [soon, over]

    run(script())


def test_what_was_talked_counts_on_after_a_lost_line() -> None:
    now = 0.0
    safety = limited(lambda: NOON + now)
    settings = Settings("anna", safety=User(minor=True))
    before, after = [Guard(safety, lambda event: None, lambda: settings, lambda: now) for _ in range(2)]

    def wait(guard: Guard, seconds: int) -> None:
        nonlocal now
        for _ in range(seconds):
            now += 1
            guard.stay.tick()

    wait(before, 25)
    after.restore(before.state())
    wait(after, 4)
    assert not after.stay.ended(False)
    wait(after, 1)
    assert after.time_word() == safety.policy.breaks.over and after.stay.ended(speaking=False)
    assert not after.stay.ended(speaking=True)
    wait(after, 61)
    assert after.stay.ended(speaking=True)  # who does not stop speaking does not prevent it


async def test_the_reminder_that_it_is_an_ai_counts_on_after_a_lost_line() -> None:
    now, settings = 0.0, Settings("anna")
    before, after = [Guard(Safety(CARE), lambda event: None, lambda: settings, lambda: now) for _ in range(2)]

    async def said(guard: Guard, hours: float) -> str:
        nonlocal now
        now = 3600 * hours
        return "".join([delta async for delta in guard.watched(fakes.ScriptedLLM(["Fine."]).reply([]))])

    assert "I am an AI" not in await said(before, 2.9)
    after.restore(before.state())
    assert "I am an AI" not in await said(after, 2.95)
    assert "I am an AI" in await said(after, 3.01)
    assert "I am an AI" not in await said(after, 6.0)
    assert "I am an AI" in await said(after, 6.02)


def test_without_limits_time_does_not_end() -> None:
    free = Allowance(Care(minors_minutes=0, minors_day_minutes=0))
    talked = Talked()
    free.spend(talked, 1e6)
    assert free.left_s(talked) == float("inf")


async def test_the_line_is_closed_for_good_and_the_time_is_among_what_is_kept() -> None:
    care = {"meaning": False, "minors": True, "minors_minutes": 0.01}
    async with running(safety=care) as server, server.connect("realtime") as ws:
        user = {"memory": {"user": "kim", "consent": False}}
        await send(ws, "session.update", session={"output_modalities": ["text"], **user})
        assert (await receive(ws, "avatar.safety"))["kind"] == "break"
        assert (await receive(ws, "error"))["error"]["code"] == "time_over"
        await ws.wait_closed()
        assert ws.close_code == 4000
        assert server.engine.safety.allowance.told("kim")


def test_what_was_talked_outlasts_a_restart_and_is_deleted_with_everything(tmp_path: Path) -> None:
    now = NOON
    file = str(tmp_path / "kept.sqlite")

    def started() -> tuple[TalkTimes, Allowance]:
        times = TalkTimes(file, clock=lambda: now)
        return times, Allowance(CARE, lambda: now, times)

    def talked(allowance: Allowance, user: str, seconds: int) -> Talked:
        nonlocal now
        time = allowance.of(user)
        for _ in range(seconds):
            now += 1
            allowance.spend(time, 1.0)
            allowance.store(user, time)
            times.recent()  # after what is being stored
        return time

    times, before = started()
    talked(before, "kim", 26)
    assert talked(before, "", 6).day_s == 6  # an unknown user's is nobody's
    times.close()
    times, after = started()
    assert after.of("kim").day_s == pytest.approx(26, abs=STORED_EVERY_S)
    assert after.of("lee").day_s == 0
    under_way = after.of("kim")
    other = Allowance(CARE, lambda: now, TalkTimes(file, clock=lambda: now))  # `companion memory forget-user`
    assert other.told("kim") and other.forget("kim") == 1 and other.forget("kim") == 0
    now += STORED_EVERY_S
    after.spend(under_way, STORED_EVERY_S)
    after.store("kim", under_way)
    times.close()
    assert after.told("kim") is None, "what another process has deleted does not come back"
    times, last = started()
    assert last.told("kim") is None
    talked(last, "kim", 6)
    assert last.forget("kim") == 1
    talked(last, "lee", 6)
    times.close()
    now += 3 * 86_400
    assert started()[1].told("lee") is None, "what no limit looks at any more is not kept"


def test_a_ledger_that_fails_ends_no_conversation(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    times = TalkTimes(str(tmp_path / "kept.sqlite"), clock=lambda: NOON)
    allowance = Allowance(CARE, lambda: NOON, times)
    (tmp_path / "kept.sqlite").unlink()
    talked = allowance.of("kim")
    allowance.spend(talked, 3.0)
    allowance.store("kim", talked)
    times.close()
    assert allowance.of("kim") is talked and talked.day_s == 3
    assert "could not be stored" in caplog.text and "kim" not in caplog.text
