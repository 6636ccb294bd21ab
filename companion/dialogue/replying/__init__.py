"""The parts of one reply: the prompt, the opener, tools, and which sentences may be said.

It does not know when a reply is wanted, nor how it sounds. Start with `companion.dialogue.replying.thinking`, which
runs the language model; `companion.dialogue.mind` decides whether it does.
"""
