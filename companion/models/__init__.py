"""The embedded models: which there are (`manifest`), where they are on this machine, and how they are downloaded.

They know nothing of the stages that run them. Start with `companion.models.locate`, which returns a model's verified
files; `companion.models.needs` collects the models that a configuration needs.
"""
