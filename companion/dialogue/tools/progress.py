"""How the user is doing in the persona's lesson."""

import json
from dataclasses import asdict

from langchain_core.tools import BaseTool, tool

from companion.dialogue.replying.toolbox import Host


def progress(host: Host) -> BaseTool:
    """The state of the lesson, for a language model that wants to speak of it."""

    @tool
    async def lesson_progress() -> str:
        """How far the learner has come in the lesson: questions solved, goals reached."""
        found = host.progress()
        return json.dumps(asdict(found)) if found else "There is no lesson."

    return lesson_progress
