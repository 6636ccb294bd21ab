"""What the synthesizers say: sentences of our own in many languages, and random words for rare sound sequences.

Words of other languages are the frequent ones of wordfreq (Robyn Speer 2022; its lists, CC BY-SA 4.0, are not shipped).
"""

# wordfreq comes with an extra, and its types are not there without it:
# pyright: reportMissingImports=false, reportUnknownVariableType=false

import gzip
import json
from functools import cache
from pathlib import Path

import hibari
import numpy as np
from wordfreq import top_n_list

ENGLISH_LINES = """
Bob moved the purple box before five more people came by.
Please put the big blue map back above the lamp.
My mother baked some apple pie for everybody at home.
What would you do if we won the whole world cup?
She was sure that the sugar shop should shut at six.
The quick brown fox jumps over the lazy dog near the river.
Peter Piper picked a peck of pickled peppers from the farm.
How now, brown cow, who knows where you go?
I think that these three things are worth thinking through.
Five brave wolves have never left the valley of the vine.
Yes, of course! I would love to tell you more about it.
Hmm, let me think about that for a moment. Well, maybe not.
Good morning! How are you feeling today, my friend?
The weather will be warm and windy, with a few showers by the evening.
Could you pass me the bowl of fruit and the bottle of water?
We usually eat breakfast at half past seven, before the bus arrives.
In nineteen sixty nine, people walked on the moon for the first time.
Oh no, I am so sorry to hear that. Is there anything I can do?
That's amazing! You must be really proud of yourself.
A painter needs patience, a brush, paper, and a bit of imagination.
The old man slowly opened the door and looked out into the garden.
Zebras zigzag lazily; bees buzz, and dozens of wasps whizz past.
Judge the joke by the joy that it gives to a child.
Ma, pa, baby, puppy, bubble, mumble, pamper, remember, september.
Voices of five fathers fell from far above the waves.
Thank you very much. Goodbye, and see you soon!
The museum opens at nine, but the best pictures are upstairs.
If you ever visit Florence, remember to look up at the dome.
Aha, there you are. Where on earth have you been hiding?
Water boils at one hundred degrees; ice melts at zero.
The choir sang softly while rain fell on the roof of the church.
You asked me why the sky is blue, so let me explain it simply.
"""
OTHER_LINES: dict[str, str] = {
    "de": """Guten Morgen, wie geht es Ihnen heute? Meine Mutter hat zwei Äpfel und fünf Birnen gekauft.
        Die schöne Blume blüht im Park. Wir fahren morgen früh mit dem Bus nach München. Das ist ja wunderbar!""",
    "fr": """Bonjour, comment allez-vous aujourd'hui? Ma mère a acheté deux pommes et un beau bouquet de fleurs.
        Nous partons demain matin pour Paris. Peux-tu ouvrir la fenêtre, s'il te plaît? C'est une bonne idée.""",
    "es": """Buenos días, ¿cómo está usted hoy? Mi madre compró dos manzanas y un ramo de flores amarillas.
        Mañana por la mañana vamos a Barcelona en tren. ¡Qué bonito! Me gusta mucho bailar bajo la lluvia.""",
    "it": """Buongiorno, come sta oggi? Mia mamma ha comprato due mele e un bel mazzo di fiori.
        Domani mattina partiamo per Bologna. Puoi aprire la finestra, per favore? Che bella giornata di primavera!""",
    "pt": """Bom dia, como está o senhor hoje? Minha mãe comprou duas maçãs e um ramo de flores bonitas.
        Amanhã vamos para Lisboa de manhã cedo. Você pode abrir a porta, por favor? Muito obrigado pela ajuda.""",
    "nl": """Goedemorgen, hoe gaat het met u vandaag? Mijn moeder kocht twee appels en een mooie bos bloemen.
        Wij vertrekken morgen vroeg naar Amsterdam. Kun je het raam openen? Wat een prachtig uitzicht!""",
    "pl": """Dzień dobry, jak się pan dzisiaj czuje? Moja mama kupiła dwa jabłka i bukiet pięknych kwiatów.
        Jutro rano jedziemy do Warszawy. Czy możesz otworzyć okno? To bardzo dobry pomysł, przyjacielu.""",
    "ru": """Доброе утро, как вы себя чувствуете? Моя мама купила два яблока и букет красивых цветов.
        Завтра утром мы поедем в Москву. Можешь открыть окно, пожалуйста? Это очень хорошая мысль.""",
    "tr": """Günaydın, bugün nasılsınız? Annem iki elma ve bir demet güzel çiçek aldı.
        Yarın sabah otobüsle Ankara'ya gidiyoruz. Pencereyi açar mısın lütfen? Bu çok iyi bir fikir.""",
    "cmn": """你好，你今天怎么样？我妈妈买了两个苹果和一束漂亮的花。我们明天早上坐火车去北京。
        请你打开窗户，好吗？这是一个非常好的主意。""",
    "ja": """おはようございます、おげんきですか。ははは りんごを ふたつと きれいな はなを かいました。
        あしたの あさ、でんしゃで とうきょうへ いきます。まどを あけて ください。""",
    "hi": """नमस्ते, आप आज कैसे हैं? मेरी माँ ने दो सेब और फूल खरीदे। हम कल सुबह दिल्ली जाएंगे।
        कृपया खिड़की खोल दो। यह बहुत अच्छा विचार है।""",
}  # fmt: skip


LANGUAGES = (
    *OTHER_LINES, "bg", "bn", "ca", "cs", "da", "el", "fa", "fi", "hu", "id", "ko", "lt", "nb", "ro", "sk", "sv", "ta",
    "uk", "vi",
)  # fmt: skip
_WORDFREQ_NAMES = {"cmn": "zh"}  # languages with another code in wordfreq
_OTHER_SCRIPTS = ("ru", "cmn", "ja", "hi", "bg", "bn", "el", "fa", "ko", "ta", "uk")  # other than Latin
_COMMON_WORDS = 4000  # words of a language
# Share of the words that are chosen for having a p, b, m, f or v, in scripts with such letters.
_LABIAL_SHARE = 0.6
_LABIAL_LETTERS = frozenset(
    "pbmfvпбмфвπβμφपबमफপবমফபமبمفپ不把白百半包北本比必边便表别并步部怕拍排跑朋片票品平破普没美门们每面民名明目母木买慢忙妈马"
    "发法方放飞费分风服父复夫"
)


def _random_words(rng: np.random.Generator) -> str:
    """Three to nine words that hibari's lexicon knows, as a sentence."""
    words = [_WORDS[i] for i in rng.integers(0, len(_WORDS), rng.integers(3, 10))]
    if rng.random() < 0.4:
        words[len(words) // 2] += ","
    return " ".join(words) + rng.choice([".", "?", "!"])


def english(rng: np.random.Generator) -> str:
    """An English sentence, half of the time of random words."""
    return _random_words(rng) if rng.random() < 0.5 else _LINES[rng.integers(0, len(_LINES))]


def other(language: str, rng: np.random.Generator) -> str:
    """About eight frequent words of ``language`` in random order; sometimes a line of `OTHER_LINES`, or words of it."""
    if language in OTHER_LINES and rng.random() < 0.25:
        return _line(language, rng)
    plain, labial = _frequent(language)
    chosen = [labial if labial and rng.random() < _LABIAL_SHARE else plain for _ in range(rng.integers(5, 10))]
    return " ".join(words[rng.integers(0, len(words))] for words in chosen) + "."


def _line(language: str, rng: np.random.Generator) -> str:
    text = " ".join(OTHER_LINES[language].split())
    words = text.split(" ")
    if len(words) < 12 or rng.random() < 0.4:
        return text
    return " ".join(words[i] for i in rng.integers(0, len(words), 8)) + "."


@cache
def _frequent(language: str) -> tuple[list[str], list[str]]:
    """The frequent words of ``language`` that espeak-ng can read, and those of them with letters for lip sounds."""
    listed: list[str] = top_n_list(_WORDFREQ_NAMES.get(language, language), _COMMON_WORDS)
    words = [word for word in listed if not any(map(str.isdigit, word))]
    if language in _OTHER_SCRIPTS:
        words = [word for word in words if not word.isascii()]
    if language == "ja":  # espeak-ng reads kana only
        words = [word for word in words if all("\u3040" <= letter <= "\u30ff" for letter in word)]
    return words, [word for word in words if _LABIAL_LETTERS & set(word)]


_LINES = ENGLISH_LINES.strip().splitlines()
_WORDS = [
    word
    for word in json.loads(
        gzip.decompress((Path(hibari.__file__).parent / "assets" / "lexicon_us_gold.json.gz").read_bytes())
    )
    if word.isascii() and word.isalpha() and word.islower() and 2 < len(word) < 11
]
