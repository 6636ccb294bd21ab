"""What is said: the language model's words, led by care, memory, a lesson and tools.

It does not know about sound, faces or connections: messages go in, deltas of text come out. Start with
`companion.dialogue.mind`; ``personas`` is who speaks and how, and the words themselves are files in ``prompts/``.
"""
