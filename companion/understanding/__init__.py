"""What the user's words mean by rule, before a language model is asked: numbers, answers to a lesson, orders.

It does not know what follows from them. Start with `companion.understanding.orders`.
"""
