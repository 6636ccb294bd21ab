"""The HTTP routes: client secrets, characters and personas, uploaded pictures, memories, speech, metrics.

They do not know of sessions. Start with `companion.server.http.catalogue`; each file has the routes of one subject, and
`companion.server.http.failures` the form of all errors.
"""
