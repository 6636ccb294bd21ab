"""Sound and film: files in and out, the live video encoder, and sound as networks hear it.

It does not know what is said or shown. Start with `animator.media.files`; the encoder of conversations is
`animator.media.encoder`.
"""
