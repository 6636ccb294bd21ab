"""The server's tools, which a language model may call: a timer, look-ups in documents, the progress of a lesson.

They know nothing of the session except its `Host`. Start with `timer`. A new tool is a function ``(host, **options)``
that returns a LangChain tool; enable it with ``[tools.NAME] use = "package.module:function"`` in a configuration, and
by its name in a persona's ``tools``.
"""

from companion.dialogue.tools.lookup import lookup
from companion.dialogue.tools.progress import progress
from companion.dialogue.tools.timer import timer

__all__ = ["lookup", "progress", "timer"]
