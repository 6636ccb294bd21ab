"""The stages of a conversation: what a model has to do, as Protocols, and the implementations that ship.

They know nothing of sessions, clients or each other. Start with `companion.stages.protocols`; a class of your own
needs no base class and no registration, only its import string in a configuration.
"""
