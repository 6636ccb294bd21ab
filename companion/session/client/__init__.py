"""The client of a session: who it is, what it asks for once that is checked, and at what pace its sound is taken.

It does not know what becomes of a request, nor of replies. Start with `companion.session.client.effective`, which turns
the settings that a client wants into those that this server can keep.
"""
