"""Measures how picture and sound leave a browser together, over networks that delay, throttle and lose.

Start with `companion.bench.syncing.sync` (``companion bench sync``). A test character (`clapper`) writes into each of
its pictures when it last clapped, and speaks in claps and hum; a page (`page/measure.js`) in a real Chromium notes what
is painted and what is played; `offsets` compares them. Nothing is told by the player that is measured.
"""
