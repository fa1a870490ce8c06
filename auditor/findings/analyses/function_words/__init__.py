"""Which words say little by themselves: the closed classes of a language.

Articles, pronouns, prepositions, conjunctions, auxiliaries and particles; lists of English and Chinese, made for this
package, one file each. A word is a function word if it stands in either list, whatever the language of the document; of
other languages every word counts as a content word. Negations are content words: they turn what they stand before.
"""

from functools import cache
from pathlib import Path

LANGUAGES = ("english", "chinese")


def is_function_word(word: str) -> bool:
    """Whether a word, in lower case, belongs to a closed class of English or Chinese."""
    return word.replace("’", "'") in _function_words()


@cache
def _function_words() -> frozenset[str]:
    return frozenset(word for language in LANGUAGES for word in _read(language))


def _read(language: str) -> list[str]:
    lines = Path(__file__).with_name(f"{language}.txt").read_text(encoding="utf-8").splitlines()
    return [word for line in lines if not line.startswith("#") for word in line.split()]
