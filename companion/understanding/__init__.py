"""Understands utterances by rule, before a language model is asked: numbers, answers to a lesson, facts, orders.

It does not act on them and does not know the session: text goes in, values come out. Start with
`companion.understanding.orders`.
"""
