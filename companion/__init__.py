"""The companion: hears, thinks and speaks; its face is shown by `animator`."""

__version__ = "0.1.0"
