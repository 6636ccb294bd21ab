"""A kitchen timer, announced by the persona when it ends."""

from typing import Annotated

from langchain_core.tools import BaseTool, tool
from pydantic import Field

from companion.dialogue.replying.toolbox import Host

LONGEST_TIMER = 24 * 3600.0  # s

Seconds = Annotated[float, Field(gt=0, le=LONGEST_TIMER, description="after how many seconds it rings")]


def timer(host: Host, rings: str = "[happy] {label}: the time is up.") -> BaseTool:
    """A tool that sets timers. ``rings`` is said when one ends; ``{label}`` in it is what the timer is for."""

    @tool
    async def set_timer(seconds: Seconds, label: str = "Timer") -> str:
        """Set a timer. When it is over you will say so by yourself."""
        host.announce(rings.format(label=label[:80]), seconds)
        return f"The timer {label[:80]!r} rings in {seconds:g} seconds."

    return set_timer
