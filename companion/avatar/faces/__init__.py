"""Which face a session shows: how one is opened and changed, and the consent of the people shown.

It does not know what the face says or does. Start with `companion.avatar.faces.wardrobe`.
"""
