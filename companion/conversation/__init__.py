"""What was said: the items of a conversation, and one response with its sequence of events.

It does not know who asks for a response, how it is spoken, or where its words come from. Start with
`companion.conversation.items`, and `companion.conversation.response` for the life of one response.
"""
