"""Audio and video: reading and writing files, the live video encoder, and features of audio for networks.

It does not know what is said or shown. Start with `animator.media.files`; the encoder of conversations is
`animator.media.encoder`.
"""
