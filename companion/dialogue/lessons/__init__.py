"""Lessons: offers a lesson, asks its questions, judges the answers, and keeps track of the learner's progress.

It knows neither the language model nor the persona: facts and judgements come only from the lesson's file in
``prompts/lessons``. Start with `companion.dialogue.lessons.lesson` (the files) and `companion.dialogue.lessons.tutor`.
"""
