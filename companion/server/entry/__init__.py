"""Access control: limits on connections, API keys and origins, the places for conversations, reconnection, the log.

It does not know what a client does once it is admitted. Start with `companion.server.entry.access` (who may enter) and
`companion.server.entry.admission` (who gets a place).
"""
