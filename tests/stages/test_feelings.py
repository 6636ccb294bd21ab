"""What somebody feels, by what they say. None of these sentences is among the examples."""

import pytest

from companion.dialogue.personas.feelings import Feelings
from companion.models.embeddings import Embedder

pytestmark = pytest.mark.model

SAID = (
    ("sad", "I lost my job today and I don't know what to do."),
    ("sad afraid", "My mother is in the hospital."),
    ("happy", "We are getting married in June!"),
    ("angry", "He broke my phone and did not even say sorry."),
    ("neutral", "Do you know a good recipe for soup?"),
    ("neutral", "What is the capital of France?"),
    ("afraid", "I have a big presentation tomorrow and I'm terrified."),
    ("tender", "That sounds exhausting. Would you like to tell me about it?"),
    ("sad tender", "I am so sorry. A cat is part of the family. What was she like?"),
    ("happy", "How nice! They will be glad to see you."),
    ("thoughtful", "I cannot tell. I do not see outside from here."),
    ("neutral happy", "Hi, how are you?"),
    ("happy", "I do! Old adventure stories most of all."),
    ("happy neutral", "The weather is nice today."),
    ("sad tender", "I had a long day at work and I am quite tired."),
    ("surprised happy", "Wow, you won the lottery?"),
    ("disgusted", "The toilet was full of maggots."),
    ("neutral happy", "Tell me a joke."),
    ("happy tender", "Thank you, that was nice to hear."),
    ("sad neutral", "My friend is moving to another city next month."),
    ("angry", "I hate you."),
    ("angry", "Leave me alone!"),
    ("neutral", "Two plus two is four."),
    ("sad", "I miss my grandfather."),
    ("happy", "Hooray, I passed the exam!"),
    ("afraid", "I am afraid of the dark."),
    ("neutral", "The meeting is on Monday."),
    ("thoughtful", "I wonder what life is about."),
    ("angry", "My neighbour is so rude, I could scream."),
    ("surprised", "Oh my goodness, I never thought that could happen!"),
    ("tender", "It is all right. I am listening to you."),
    ("neutral", "I ate rice for lunch."),
    ("neutral", "Can you tell me something about the stars?"),
    ("neutral", "Do you have a favorite color?"),
)


@pytest.fixture(scope="module")
def feelings() -> Feelings:
    return Feelings(Embedder())


def test_most_sentences_are_felt_as_a_person_would(feelings):
    wrong = [(text, feelings.of(text).emotion) for wanted, text in SAID if feelings.of(text).emotion not in wanted]
    assert len(wrong) <= 0.2 * len(SAID), wrong
    assert not [text for text, felt in wrong if felt != "neutral"], "when in doubt, calm"


def test_nothing_said_is_nothing_felt(feelings):
    assert feelings.of("  ").emotion == "neutral"
    assert feelings.of("xqzt 4711").emotion == "neutral"
