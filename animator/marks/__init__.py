"""What every picture that leaves here says of itself: signed credentials in files, a mark that nobody sees, one that
everybody does.

It knows no voice and no conversation. Start at `credentials.py` for files, at `installation.py` for who signs.
"""
