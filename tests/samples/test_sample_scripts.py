"""The scripts that made the samples: cleaning, splitting, drawing, pruning, fetching. None of these tests downloads."""

import hashlib
import io
import json
import os
import random
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

import fetch_smollm2
import pinned
from make_corpora import beginning, passages, sentences_of, shares
from sentences import clean, digest, near_repeats, normalise, read, split
from training import Share
from vocabulary import SPECIAL, prune

SAMPLES = Path(__file__).parents[2] / "samples"
PARAGRAPH = (
    "The sun had barely risen when the farmers began to gather in the village square. They had come from the "
    "surrounding hills with carts full of apples, potatoes and cheese, and they talked about the weather while they "
    "set up their stalls. By nine o'clock the market was full of people looking for fresh food, and the children ran "
    "between the tables with pieces of warm bread in their hands."
)


def test_cleaning_undoes_entities_double_apostrophes_and_lost_ones() -> None:
    assert clean("PB&amp; J:  ''Cube?s'' best    film?") == 'PB& J: "Cube\'s" best film?'


def test_normalising_keeps_letters_and_digits_only() -> None:
    assert normalise("  Amélie's 2nd — “Château”!") == "amelie s 2nd chateau"
    assert digest("Often hilarious.") == digest("often HILARIOUS!") != digest("seldom hilarious")


def test_near_repeats_share_most_words_or_contain_each_other() -> None:
    held_out = ["A warm and exotic tale of two brothers."]
    texts = [
        "a warm, exotic tale of two brothers",
        "This is, to be fair to all involved, a warm and exotic tale of two brothers and nothing more than that.",
        "A tale of cities.",
        "Cold and dull.",
    ]
    assert near_repeats(texts, held_out) == {0, 1}


def archive(path: Path, rated: list[tuple[str, float, float]]) -> Path:
    """A source distribution with the two files that are read, in the layout of vaderSentiment."""
    texts = "".join(f"{i}\t{mean}\t{text}\r\n" for i, (text, mean, _) in enumerate(rated, 1))
    ratings = "".join(f"{i}\t{mean}\t{sd}\t[]\r\n" for i, (_, mean, sd) in enumerate(rated, 1))
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:gz") as tar:
        for name, content in (("GroundTruth", texts), ("anonDataRatings", ratings)):
            add(tar, f"hutto_ICWSM_2014/movieReviewSnippets_{name}.txt", content.encode())
    with tarfile.open(path, "w:gz") as tar:
        add(tar, "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz", inner.getvalue())
    return path


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def test_near_neutral_and_repeated_sentences_are_dropped_and_counted(tmp_path: Path) -> None:
    varied = [(f"opinion{i} film{i} tells{i} much{i}", 1.0 if i % 2 else -1.0, 0.7) for i in range(1200)]
    extra = [("meh", 0.4, 1.0), ("Opinion7 film7, tells7 much7!", 2.0, 0.5)]
    data = split(archive(tmp_path / "data.tar.gz", varied + extra))
    assert (len(data.held_out), len(data.train)) == (1000, 200)
    assert data.dropped == {"near_neutral": 1, "duplicate": 1, "near_repeat_of_held_out": 0}
    assert not {s.id for s in data.train} & {s.id for s in data.held_out}


def test_a_sentence_carries_label_mean_and_deviation(tmp_path: Path) -> None:
    good, bad = read(archive(tmp_path / "data.tar.gz", [("Fine.", 2.5, 0.5), ("Bad.", -0.6, 1.1)]))
    assert (good.id, good.label, good.deviation) == ("movie-1", "positive", 0.5)
    assert (bad.id, bad.label, bad.mean) == ("movie-2", "negative", -0.6)


def test_shares_are_proportional_and_add_up() -> None:
    assert shares({("a",): 50, ("b",): 30, ("c",): 20}, 10) == {("a",): 5, ("b",): 3, ("c",): 2}
    thirds = shares({("a",): 1, ("b",): 1, ("c",): 1}, 2)
    assert sum(thirds.values()) == 2


def test_sentences_end_at_a_full_stop_but_not_after_an_abbreviation() -> None:
    text = 'To Mr. Adams of the U.S. Senate I wrote. "Never again," he said. It was 1811. Then peace.'
    assert sentences_of(text) == [
        "To Mr. Adams of the U.S. Senate I wrote.",
        '"Never again," he said.',
        "It was 1811.",
        "Then peace.",
    ]


def test_passages_have_whole_sentences_and_name_no_year() -> None:
    filler = ["We had peace today."] * 3
    sentence = "The " + "long " * 32 + "road ended."
    dated = "In 1862 the " + "long " * 30 + "war went on."
    assert passages(" ".join([*filler, sentence, dated, *filler])) == [sentence]


def test_an_excerpt_ends_with_the_sentence_that_makes_it_long_enough() -> None:
    sentence = "One two three four five six seven eight nine tenth."
    assert len(beginning(" ".join([sentence] * 100)).split()) == 300


def test_a_wilson_interval_is_that_of_the_textbook() -> None:
    low, high = Share(8, 10).interval
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)


def word_piece(path: Path, tokens: list[str]) -> Path:
    tokenizer = Tokenizer(models.WordPiece({token: i for i, token in enumerate(tokens)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(t, tokens.index(t)) for t in ("[CLS]", "[SEP]")]
    )
    tokenizer.save(str(path))
    return path


def test_pruning_keeps_characters_then_what_is_used_twice_then_the_commonest(tmp_path: Path) -> None:
    tokens = ["[PAD]", "[unused0]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "д", "a", "b", "##a", "##b", "!"]
    tokens += ["the", "film", "aab", "rare"]
    full = word_piece(tmp_path / "tokenizer.json", tokens)
    small = prune(full, ["aab rare", "aab film", "film"], size=13)
    kept = Tokenizer.from_str(json.dumps(small.tokenizer))
    assert [tokens[i] for i in small.old_ids] == [*SPECIAL, "a", "b", "##a", "##b", "!", "the", "film", "aab"]
    assert kept.encode("aab the film!").tokens == ["[CLS]", "aab", "the", "film", "!", "[SEP]"]
    assert kept.encode("ba д").tokens == ["[CLS]", "b", "##a", "[UNK]", "[SEP]"]
    assert kept.token_to_id("[CLS]") == kept.encode("a").ids[0] == 2


def test_a_file_with_another_hash_is_refused_by_name(tmp_path: Path) -> None:
    package = pinned.Package("thing==1", "thing.whl", hashlib.sha256(b"right").hexdigest())
    (tmp_path / "thing.whl").write_bytes(b"right")
    assert pinned.fetch(package, tmp_path) == tmp_path / "thing.whl"
    (tmp_path / "thing.whl").write_bytes(b"wrong")
    with pytest.raises(SystemExit, match=r"is not thing==1: expected sha256 [0-9a-f]{64}, found"):
        pinned.fetch(package, tmp_path)


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AUDITOR_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert pinned.cache_folder() == tmp_path / "auditor"
    monkeypatch.setenv("AUDITOR_CACHE", str(tmp_path / "own"))
    assert pinned.cache_folder() == tmp_path / "own"


def finished(cache: Path) -> Path:
    folder = cache / fetch_smollm2.NAME
    folder.mkdir(parents=True)
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (folder / name).touch()
    return folder


def test_a_second_fetch_returns_the_folder_at_once_and_renews_the_link(tmp_path: Path) -> None:
    folder, link = finished(tmp_path), tmp_path / "models" / "smollm2"
    link.parent.mkdir()
    link.symlink_to(tmp_path / "somewhere-else")
    script = (
        "import sys; sys.modules['torch'] = sys.modules['transformers'] = None; import fetch_smollm2; "
        f"sys.argv = ['fetch', '--link', {str(link)!r}]; fetch_smollm2.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "AUDITOR_CACHE": str(tmp_path), "PYTHONPATH": str(SAMPLES)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{folder}\n", "")
    assert link.resolve() == folder


def test_an_unfinished_conversion_is_not_taken_for_a_model(tmp_path: Path) -> None:
    folder = finished(tmp_path)
    assert fetch_smollm2.is_complete(folder)
    (folder / "model.safetensors").unlink()
    assert not fetch_smollm2.is_complete(folder)


def test_a_real_folder_in_the_place_of_the_link_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "smollm2").mkdir()
    with pytest.raises(SystemExit, match="should be a symbolic link"):
        fetch_smollm2.point(tmp_path / "smollm2", tmp_path)


def test_smollm2_is_surprised_by_shuffled_english_and_not_by_plain_english() -> None:
    folder = pinned.cache_folder() / fetch_smollm2.NAME
    if not fetch_smollm2.is_complete(folder):
        pytest.skip("SmolLM2 is not in the cache: python samples/fetch_smollm2.py fetches it (93 MB)")
    words = PARAGRAPH.split()
    assert 15 < perplexity(folder, PARAGRAPH) < 30
    assert perplexity(folder, " ".join(random.Random(0).sample(words, len(words)))) > 800


def perplexity(folder: Path, text: str) -> float:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    ids = torch.tensor([[tokenizer.bos_token_id, *tokenizer(text)["input_ids"]]])
    with torch.inference_mode():
        return float(model(ids, labels=ids).loss.exp())
