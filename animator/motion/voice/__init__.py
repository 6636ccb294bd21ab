"""Speech analysis: the mouth shapes of a voice, its lip contacts, prosody and phrases.

It does not know the words, nor what else the face does. Start with `animator.motion.voice.voices`, which analyses a
frame of each voice; the networks have their model card beside them.
"""
