"""Data for the motion networks, and their training. Nothing that runs imports it."""
