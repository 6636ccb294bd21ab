"""What was said, and how: utterances become items with their words and their tone.

It does not know when somebody may speak, or who does now. Start with `companion.hearing.transcription.transcripts`;
what words say about turns (a backchannel, a sentence that will go on) is pure, in ``words``.
"""
