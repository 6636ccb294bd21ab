"""The stages of a conversation (VAD, end of turn, ASR, LLM, TTS, memory), as Protocols and as the classes that ship.

A stage knows nothing of sessions, clients or other stages. Start with `companion.stages.protocols`; a class of your
own needs no base class and no registration, only its import string in a configuration.
"""
