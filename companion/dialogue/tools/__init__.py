"""Tools of the server, which a language model may call. A new one is a function ``(host, **options)`` that returns a
LangChain tool, named in the config as ``[tools.NAME] use = "package.module:function"`` and in a persona's ``tools``."""

from companion.dialogue.tools.lookup import lookup
from companion.dialogue.tools.progress import progress
from companion.dialogue.tools.timer import timer

__all__ = ["lookup", "progress", "timer"]
