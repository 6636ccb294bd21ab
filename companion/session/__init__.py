"""One conversation: what each of a client's events does, who has the floor, and the life of a reply.

It does not know how events arrive or leave, and it runs without a server. Start with `companion.session.session`, which
puts together ``client`` (who it is, what it may set) and ``replies`` (where an interruption happens).
"""
