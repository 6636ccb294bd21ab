"""Tools of the server, which a language model may call. A new one is a function ``(host, **options)`` that returns a
LangChain tool, named in the config as ``[tools.NAME] use = "package.module:function"`` and in a persona's ``tools``."""

from companion.tools.lookup import lookup
from companion.tools.progress import progress
from companion.tools.timer import timer

__all__ = ["lookup", "progress", "timer"]
