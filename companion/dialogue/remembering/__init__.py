"""What a session knows about its user: from their words in it, and from earlier conversations.

It does not know how memories are stored or what is answered. Start with `companion.dialogue.remembering.recollection`.
"""
