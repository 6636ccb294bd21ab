"""What the user's words mean by rule, before a language model is asked: numbers, answers to a lesson, orders."""
