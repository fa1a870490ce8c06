"""An encoding is stated, evident, guessed where the text bears it out, or asked for: never a wrong text in silence."""

import re
from pathlib import Path

import pytest
from corpus_files import fault, pairs, write

from auditor import corpus
from auditor.errors import ConfigError

FRENCH = "Le film est très réussi, c’est génial – « l’été » où ça s’achève…\nDéjà créée par Hélène, 5 €: œuvre naïve"
GERMAN = "Der Film ist großartig, die Schauspieler überzeugen völlig.\nÄußerst öde: „Übel“, sagte er bei 5°."
SPANISH = "¡Qué película más aburrida! ¿Mañana? El niño soñó.\nMuy buena actuación, ÓPTIMA CANCIÓN"
ENGLISH = "the actors were wonderful – £5 café"
SIMPLIFIED = (
    "这部电影非常好看，演员的表现很精彩。\n房间很干净，服务态度也不错，下次还会再来。\n剧情太无聊，看到一半就睡着了。"
)
TRADITIONAL = (
    "這部電影非常好看，演員的表現很精彩。\n房間很乾淨，服務態度也不錯，下次還會再來。\n劇情太無聊，看到一半就睡著了。"
)
NEITHER = {
    "cp1251": "Этот фильм очень хороший, мне понравилась игра актёров.\nСюжет скучный, я уснул на середине.",
    "koi8_r": "Этот фильм очень хороший, мне понравилась игра актёров.\nСюжет скучный, я уснул на середине.",
    "cp1253": "Αυτή η ταινία είναι πολύ καλή, μου άρεσε η ερμηνεία.\nΒαρετή ιστορία, κοιμήθηκα στη μέση.",
    "cp1250": "Ten film jest bardzo dobry, świetna gra aktorów.\nNudna historia, zasnąłem w połowie.",
    "cp1254": "Bu film çok güzel, oyunculuk şahane. Ağladım.\nSıkıcı bir hikâye, yarısında uyudum.",
    "cp949": "이 영화는 정말 재미있고 배우들의 연기가 훌륭했어요.\n지루한 이야기라서 중간에 잠들었습니다.",
    "shift_jis": "この映画はとても面白くて、俳優の演技が素晴らしかったです。\n退屈な話で、途中で寝てしまいました。",
    "euc_jp": "この映画はとても面白くて、俳優の演技が素晴らしかったです。\n退屈な話で、途中で寝てしまいました。",
    "cp1255": "הסרט הזה טוב מאוד, המשחק היה מצוין.\nסיפור משעמם, נרדמתי באמצע.",
    "cp1256": "هذا الفيلم جيد جدا والتمثيل رائع.\nقصة مملة، نمت في منتصفها.",
    "cp874": "หนังเรื่องนี้ดีมาก นักแสดงเล่นเก่ง\nเรื่องน่าเบื่อ หลับไปครึ่งเรื่อง",
    "mac_roman": "Le film est très réussi, c’est génial à voir.\nL’été où ça s’achève.",
    "cp850": "Le film est très réussi, c'est génial à voir.\nDéjà vu, où ça s'achève.",
}


def lines(text: str) -> list[tuple[str]]:
    return [(line,) for line in text.split("\n")]


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.json", "a.csv", "a.tsv"])
@pytest.mark.parametrize(
    ("encoding", "read_as", "is_guessed"),
    [
        ("utf-8", "utf-8", False),
        ("utf-8-sig", "utf-8", False),
        ("utf-16", "utf-16-le", False),
        ("utf-16-le", "utf-16-le", True),
        ("utf-16-be", "utf-16-be", True),
        ("utf-32", "utf-32-le", False),
        ("utf-32-le", "utf-32-le", True),
        ("utf-32-be", "utf-32-be", True),
        ("cp1252", "cp1252", True),
    ],
)
def test_every_format_of_text_is_read_in_every_evident_encoding(
    tmp_path: Path, name: str, encoding: str, read_as: str, is_guessed: bool
) -> None:
    text = "a café – £5"
    content = {"a.jsonl": f'{{"text": "{text}"}}\n', "a.json": f'[{{"text": "{text}"}}]', "a.txt": text}
    loaded = corpus.load(write(tmp_path, name, content.get(name, f"text\n{text}\n"), encoding))
    assert pairs(loaded) == [(text,)]
    assert (loaded.dialect.encoding, loaded.dialect.encoding_is_guessed) == (read_as, is_guessed)


@pytest.mark.parametrize("mark", [b"\xfe\xff", b"\0\0\xfe\xff"])
def test_a_big_endian_mark_is_known(tmp_path: Path, mark: bytes) -> None:
    encoding = "utf-16-be" if len(mark) == 2 else "utf-32-be"
    loaded = corpus.load(write(tmp_path, "a.txt", mark + "好".encode(encoding)))
    assert (pairs(loaded), loaded.dialect.encoding) == ([("好",)], encoding)


@pytest.mark.parametrize("text", [FRENCH, GERMAN, SPANISH, ENGLISH])
def test_western_text_is_guessed_to_be_windows_1252_and_the_guess_is_said(tmp_path: Path, text: str) -> None:
    loaded = corpus.load(write(tmp_path, "a.txt", text, "cp1252"))
    assert pairs(loaded) == lines(text)
    assert "encoding cp1252 (a guess; corpus.encoding or --encoding states another)" in str(loaded.dialect)


@pytest.mark.parametrize(
    ("text", "encoding", "read_as"),
    [(SIMPLIFIED, "gbk", "gb18030"), (SIMPLIFIED, "gb18030", "gb18030"), (TRADITIONAL, "big5", "big5")],
)
def test_chinese_text_is_guessed_by_its_frequent_characters(
    tmp_path: Path, text: str, encoding: str, read_as: str
) -> None:
    loaded = corpus.load(write(tmp_path, "a.txt", text, encoding))
    assert pairs(loaded) == lines(text)
    assert (loaded.dialect.encoding, loaded.dialect.encoding_is_guessed) == (read_as, True)


@pytest.mark.parametrize(("encoding", "text"), NEITHER.items())
def test_text_of_no_evident_encoding_is_refused_and_never_read_wrongly(
    tmp_path: Path, encoding: str, text: str
) -> None:
    path = write(tmp_path, "a.txt", text, encoding)
    message = fault(path)
    assert "line 1: not UTF-8 (byte 0x" in message
    assert pairs(corpus.load(path, encoding=encoding)) == lines(text)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        *(("gb18030", word) for word in ("好", "差", "不", "大", "是", "正面", "负面", "优")),
        ("big5", "好看"),
        ("cp1251", "Этот фильм хороший"),
        ("cp949", "영화"),
    ],
)
def test_every_encoding_that_a_refusal_names_reads_the_file_as_it_says(
    tmp_path: Path, encoding: str, text: str
) -> None:
    path = write(tmp_path, "a.csv", f"text,label\n{text},1\n", encoding)
    message = fault(path)
    assert re.search(
        r'its encoding cannot be told; state it, as in corpus.encoding = "([\w-]+)" or --encoding \1: ', message
    )
    options = dict(re.findall(r'"([\w-]+)" reads "([^"]+)"', message))
    assert encoding in options
    for name, sample in options.items():
        assert sample.split(",")[0].split()[-1] in path.read_bytes().decode(name)
        assert corpus.load(path, encoding=name).documents[0].text == path.read_bytes().decode(name).split("\n")[1][:-2]


def test_a_damaged_line_of_utf8_is_not_taken_for_another_encoding(tmp_path: Path) -> None:
    content = "text\ncafé\n电影\n".encode() + b"d\xe9j\n"
    assert fault(write(tmp_path, "a.csv", content)) == (
        ", line 4: not UTF-8 (byte 0xe9 at position 2); the rest of the file is UTF-8: mend or remove that line"
    )


def test_the_byte_that_is_wrong_is_found_far_behind_the_first_chunk(tmp_path: Path) -> None:
    content = b"text\n" + b"plain text\n" * 200_000 + "caf\xe9 \xd5\xe9\xd5\xe9\n".encode("latin-1")
    assert fault(write(tmp_path, "a.csv", content)).startswith(", line 200002: not UTF-8 (byte 0xe9 at position 4)")


def test_a_guess_must_decode_all_of_the_file(tmp_path: Path) -> None:
    content = b"text\n" + "un café\n".encode("cp1252") * 100_000 + b"\x81\n"
    assert "its encoding cannot be told" in fault(write(tmp_path, "a.csv", content))


def test_bytes_that_are_no_text_are_not_offered_as_any(tmp_path: Path) -> None:
    message = fault(write(tmp_path, "a.csv", bytes(range(256)) * 4))
    assert message.endswith("nor text in another encoding; save it as UTF-8")


def test_utf16_that_is_cut_short_is_a_fault(tmp_path: Path) -> None:
    message = fault(write(tmp_path, "a.txt", "word".encode("utf-16")[:-1]))
    assert message.startswith(", line 1: begins as utf-16-le, but is not (")


def test_what_the_user_says_is_held_to(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", "Ð Ñ", "latin-1")
    assert pairs(corpus.load(path, encoding="koi8_r")) == [("п я",)]
    message = fault(write(tmp_path, "b.txt", b"ok\n\xff\n"), encoding="gb18030")
    assert message.startswith(", line 2: not gb18030, which corpus.encoding says (byte 0xff at position 1); leave it")


@pytest.mark.parametrize("asked", ["utf-8", "UTF8", "utf_8_sig", "utf-8-sig"])
def test_a_mark_is_no_text_in_the_encoding_that_was_asked_for(tmp_path: Path, asked: str) -> None:
    assert pairs(corpus.load(write(tmp_path, "a.csv", "text\nx\n", "utf-8-sig"), encoding=asked)) == [("x",)]


def test_utf16_can_be_asked_for_with_and_without_a_mark(tmp_path: Path) -> None:
    for written in ("utf-16", "utf-16-le", "utf-16-be"):
        assert pairs(corpus.load(write(tmp_path, "a.txt", "x\n好", written), encoding="utf-16")) == [("x",), ("好",)]
    path = write(tmp_path, "a.txt", "好\nx", "utf-16-be")
    assert fault(path, encoding="utf-16") == (
        ": has no byte order mark, which utf-16 needs: say utf-16-le or utf-16-be in corpus.encoding"
    )
    assert pairs(corpus.load(path, encoding="utf-16-be")) == [("好",), ("x",)]


def test_a_mark_against_what_the_user_says_is_refused(tmp_path: Path) -> None:
    message = fault(write(tmp_path, "a.txt", "x", "utf-16"), encoding="cp1252")
    assert message == (
        ': begins with the byte order mark of utf-16-le, but corpus.encoding says "cp1252"; leave out corpus.encoding'
    )


@pytest.mark.parametrize("name", ["utf9", "rot13", "base64", "undefined", "idna", "unicode_escape", "a\0b", ""])
def test_an_encoding_that_python_does_not_know_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="Python knows no encoding"):
        corpus.load(write(tmp_path, "a.txt", "x"), encoding=name)
