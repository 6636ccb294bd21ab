"""Which face a session shows: how one is opened and changed, and who agreed to be shown.

It does not know what the face says or does. Start with `companion.avatar.faces.wardrobe`.
"""
