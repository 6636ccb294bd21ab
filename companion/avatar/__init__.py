"""The face of a session: the loop that never stops, its pictures, and which face is worn.

It does not know what is said or why, nor how a picture is drawn. Start with `companion.avatar.show`: it takes speech
from the buffer, has it drawn, and sends sound and pictures under one time.
"""
