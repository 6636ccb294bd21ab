"""Who comes in: connections before they say what they want, keys and origins, the places for conversations, the log.

It does not know what is asked for once somebody is in. Start with `companion.server.entry.access`.
"""
