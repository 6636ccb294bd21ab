"""The face of a session: the loop that never stops, its frames, and which face is shown.

It does not know what is said or why, nor how a frame is rendered. Start with `companion.avatar.show`: it takes speech
from the playout buffer, has it rendered, and sends audio and video with the same timestamps.
"""
