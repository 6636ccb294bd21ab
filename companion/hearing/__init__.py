"""The user's side: microphone audio becomes turns, and turns become items of the conversation with their words.

It does not know what is answered; it asks its session for an interruption or a reply through `Floor`. Start with
`companion.hearing.hearing`, which combines ``audio`` (audio -> turns), ``transcription`` (turns -> words) and
``turn_taking`` (when a turn is over, and when it interrupts).
"""
