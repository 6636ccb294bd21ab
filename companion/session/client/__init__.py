"""The client of a session: who it is, its requests once they are validated, and the rate limit of its audio.

It does not know what becomes of a request, nor of replies. Start with `companion.session.client.effective`, which turns
the settings that a client asks for into those that this server supports.
"""
