"""Tests whether a decoded text looks like a language, to tell a right guess of its encoding from a wrong one.

An encoding of one byte per character decodes nearly any bytes, and GB18030 many, so that decoding succeeds says little.
The decoded text says more: Western European text has one or two accented letters inside words of plain letters; half of
any Chinese text is made of the same two hundred characters. No encoding is guessed for a text with neither property.
"""

import re
import unicodedata

_WESTERN = frozenset(
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜßàáâãäåæçèéêëìíîïñòóôõöøùúûüŒœŠšŽžŸ¡¿«»‹›‘’“”„‚–—…•·´°º²³£€¥¢§©®™½¼¾±×÷\xa0\xad"
)
"""Without ð, þ and ý, which in Turkish files stand for ğ, ş and ı, and without ÿ, the byte 0xFF of no text."""
_CAPITAL, _SMALL = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜŒŠŽŸ", "a-zà-öø-ÿœšž"
_ACCENTED = "À-ÖØ-öø-ÿŒœŠšŽžŸ"
_SIGN, _QUOTE = "´°º²³£€¥¢§©®™½¼¾±×÷", "¡¿«»‹›„‚•"
_UNLIKELY = re.compile(
    f"[{_SMALL}][{_CAPITAL}]"  # a capital after a small letter
    f"|[A-Za-z{_ACCENTED}][{_SIGN}{_QUOTE}](?=[A-Za-z{_ACCENTED}])"  # a sign within a word
    f"|[{_SIGN}](?=[{_ACCENTED}{_SIGN}{_QUOTE}])|[{_ACCENTED}{_QUOTE}](?=[{_SIGN}])"  # one beside an accented letter
    f"|[{_ACCENTED}]{{3,}}|(?<![A-Za-z])[{_ACCENTED}]{{2}}(?![A-Za-z])"  # a word of nothing but accented letters
)
_MOST_UNLIKELY = 0.02
"""Per character beyond ASCII."""

_COMMON = frozenset(
    "一是人了不在有大中国和为这上他个地年来我会以到时要出的生学说道民家子也成行下们于后就发自之对得主长可过天作分方用多你着部能市等业全里工公经本都而高"
    "政法面门动日进区事代那去心小同北定开产前其军还然起种所如现理机体表力好外与文当两实重新三么只山水关明从化平建又制南内西没此将员名手最东头者月间无安看"
    "见各城十相但已些正口通想度加第她合院物性战由位常点海意场武使次二向治因立数样身情入原问把路被并很吗什吧呢觉喜欢真错快服买送态质量电影推荐差评演故"
    "國為這個來會時說學們後發對長過業裡經動進區開產軍還種現機體當兩實麼關從沒將員東頭間無見點場戰數樣問並嗎覺喜歡錯買態質電薦評電"
)
"""The most frequent Chinese characters (two hundred of them are half of any text), simplified and traditional."""
_MOST_COMPARED = 10_000
_LEAST_COMMON = 0.3
_FEWEST = 10


def is_western(text: str) -> bool:
    """Whether the characters beyond ASCII are the accented letters and the punctuation of Western European text."""
    beyond = [character for character in text if character > "\x7f"]
    if not beyond or not _WESTERN.issuperset(beyond):
        return False
    return sum(1 for _ in _UNLIKELY.finditer(text)) <= _MOST_UNLIKELY * len(beyond)


def chinese_share(text: str) -> float:
    """The share (0..1) of frequent characters among the Chinese ones; 0 where the text is not evidently Chinese."""
    beyond = [character for character in text if character > "\x7f"]
    characters = [character for character in beyond if "\u4e00" <= character <= "\u9fff"]
    marks = sum(unicodedata.category(character)[0] in "PZS" for character in beyond)
    if len(characters) < _FEWEST or len(characters) + marks < 0.9 * len(beyond):
        return 0.0
    share = sum(character in _COMMON for character in characters) / len(characters)
    return share if share >= _LEAST_COMMON else 0.0


def breaks(text: str) -> float:
    """Changes of script at characters beyond ASCII, as in "ÐµÑ", per character beyond ASCII."""
    kinds = [_kind(character) for character in text[:_MOST_COMPARED]]
    beyond = [character > "\x7f" for character in text[:_MOST_COMPARED]]
    pairs = zip(kinds, kinds[1:], beyond, beyond[1:], strict=False)
    n_breaks = sum(
        left != right and "" not in (left, right) and (left_is_beyond or right_is_beyond)
        for left, right, left_is_beyond, right_is_beyond in pairs
    )
    return n_breaks / max(1, sum(beyond))


def _kind(character: str) -> str:
    """The script of a letter, "sign" for symbols and numerals, "" for spaces, punctuation and controls."""
    category = unicodedata.category(character)
    if category[0] in "ZPC":
        return ""
    if category[0] in "SN":
        return "sign"
    script = unicodedata.name(character, "").split()[0]
    return "CJK" if script in ("HIRAGANA", "KATAKANA") else script


def is_text(text: str) -> bool:
    """Whether no character is unassigned, private, a surrogate, or a control other than tab and line ends."""
    return all(
        character in "\t\n\r" or unicodedata.category(character) not in ("Cc", "Cn", "Co", "Cs") for character in text
    )
