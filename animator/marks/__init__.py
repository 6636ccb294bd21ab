"""Provenance of generated media: signed credentials (C2PA) in files, an invisible watermark and a visible label.

It knows no voice and no conversation. Start with `animator.marks.credentials` for files, and with
`animator.marks.installation` for the signing key.
"""
