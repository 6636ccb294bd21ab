"""The user's side: a microphone's sound becomes turns, and turns become items of the conversation with their words.

It does not know what is answered; it asks its session for an interruption or a reply, by `Floor`. Start with
`companion.hearing.user_turns`; the rules themselves, in `companion.hearing.turns` and `companion.hearing.words`, are
pure.
"""
