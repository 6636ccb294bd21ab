"""Who comes in: connections before they say what they want, keys and origins, and the places for conversations.

It does not know what is asked for once somebody is in. Start with `companion.server.entry.access`.
"""
