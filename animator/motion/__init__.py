"""Sound and control in, motion out."""
