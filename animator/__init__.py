"""The animator: one picture and a voice in, a living face out. Useful alone; it never imports `companion`."""
