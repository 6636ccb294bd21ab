"""What is asked over HTTP: client secrets, characters and personas, uploaded pictures, memories.

It does not know of sessions. Start with `companion.server.http.catalogue`; each file has the routes of one subject.
"""
