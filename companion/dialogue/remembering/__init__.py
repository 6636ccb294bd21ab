"""What a session knows of its user: by their own words now, and from earlier conversations.

It does not know how memories are stored or what is answered. Start with
`companion.dialogue.remembering.recollection`.
"""
