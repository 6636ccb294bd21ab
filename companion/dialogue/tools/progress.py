"""Reports the user's progress in the persona's lesson."""

import json
from dataclasses import asdict

from langchain_core.tools import BaseTool, tool

from companion.dialogue.replying.toolbox import Host


def progress(host: Host) -> BaseTool:
    """A tool that tells the language model the state of the lesson, as JSON."""

    @tool
    async def lesson_progress() -> str:
        """How far the learner has come in the lesson: questions solved, goals reached."""
        found = host.progress()
        return json.dumps(asdict(found)) if found else "There is no lesson."

    return lesson_progress
