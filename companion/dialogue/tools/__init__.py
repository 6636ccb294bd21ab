"""Tools of the server, which a language model may call.

They know nothing of the session but its `Host`. A new one is a function ``(host, **options)`` that returns a LangChain
tool, named in a configuration as ``[tools.NAME] use = "package.module:function"`` and in a persona's ``tools``. Start
with `timer`.
"""

from companion.dialogue.tools.lookup import lookup
from companion.dialogue.tools.progress import progress
from companion.dialogue.tools.timer import timer

__all__ = ["lookup", "progress", "timer"]
