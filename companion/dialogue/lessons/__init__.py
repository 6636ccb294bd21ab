"""Lessons: what is taught and asked, and how the learner does.

It knows neither the language model nor a persona: a lesson's facts and judgements come from its file in
``prompts/lessons`` alone. Start with `companion.dialogue.lessons.lesson`.
"""
