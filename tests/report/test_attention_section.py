"""Maps of heads in the report: drawings, numbers, and the data of the explorer."""

import base64
import json
import re
from dataclasses import replace
from html import unescape

import pytest
from invented_attention import N_KEYS, mapped, rows_of
from invented_classifier import classifier
from invented_runs import language_model
from invented_texts import HOSTILE

from auditor.languages import speaking
from auditor.records.types import AttentionMap
from auditor.report import render_html
from auditor.report.contract import Sources
from auditor.report.drawing import attention_explorer, attention_maps
from auditor.report.drawing.marks import SEQUENTIAL
from auditor.report.page import html as pages
from auditor.report.sections import attention, mapped_heads


@pytest.fixture(autouse=True)
def no_embedded_fonts(monkeypatch):
    monkeypatch.setattr(pages.fonts, "embed", lambda _: "")


@pytest.fixture(scope="module")
def run():
    return classifier()


def section(html):
    body = re.search(r'<section id="attention".*?</section>', html, re.DOTALL)
    assert body
    return body.group()


def words(markup):
    return " ".join(unescape(re.sub(r"<(title|script)[ >].*?</\1>|<[^>]+>", " ", markup, flags=re.DOTALL)).split())


def data(html):
    return re.search(r'<script type="application/json" id="attention-maps">(.*?)</script>', html, re.DOTALL).group(1)


def attending(evidence, records):
    """The evidence with other records of attention."""
    return replace(evidence, rows={**evidence.rows, "attention": records})


def map_of(rows):
    keys, weights, kept = mapped(rows)
    return AttentionMap(0, len(rows), N_KEYS, keys, weights, (kept,))


def test_the_share_of_heads_is_printed_with_its_interval():
    findings, evidence = classifier()
    name = "attention.head_share[previous]"
    (number,) = [number for number in findings.numbers if number.name == name]
    number = number.model_copy(update={"value": 0.0625, "low": 0.0417, "high": 0.0833})
    sources = Sources(findings.model_copy(update={"numbers": (number,)}), evidence)
    table = attention.compose(sources).content["classes"]
    titles = [column.title for column in table.columns]
    share, interval = titles.index("Share"), titles.index("95% interval")
    rows = {row[0]: row for row in table.rows}
    assert (rows["previous token"][share], rows["previous token"][interval]) == ("0.062", "0.042–0.083")
    assert (rows["special tokens"][share], rows["special tokens"][interval]) == ("0.042", "–")
    assert "wholly beyond the rule" in table.caption


def test_the_table_of_layers_is_called_a_summary_and_says_where_every_head_is(run):
    caption = attention.compose(Sources(*run)).content["layers"].caption
    assert caption.startswith("A summary of the grids")
    assert caption.endswith("findings.json has every head.")


def test_a_map_is_read_back_as_it_was_written():
    uniform = attention_maps.rows(map_of(rows_of("broad", 10, causal=False)), 0)
    assert uniform == [{key: round(255 / 10) / 255 for key in range(10)}] * 10
    assert attention_maps.rows(map_of(rows_of("previous", 5, causal=True)), 0) == [
        {0: 1},
        {0: 1},
        {1: 1},
        {2: 1},
        {3: 1},
    ]


def test_the_heads_of_all_layers_lie_one_behind_the_other(run):
    findings, evidence = run
    record = next(iter(evidence.of("attention").values()))
    for shown in findings.analyses["attention"].mapped_heads:
        rows = attention_maps.rows(record.map, shown.layer * record.n_heads + shown.head)
        wanted = rows_of(shown.name, record.n_tokens, record.causal)
        assert [set(row) for row in rows] == [set(row) for row in wanted]


def test_a_drawing_has_a_square_where_a_token_looks_in_the_shade_of_its_weight():
    tokens = ["a", "b", "c"]
    drawing = attention_maps.miniature(tokens, [{0: 1.0}, {0: 0.3, 1: 0.7}, {1: 0.5, 2: 0.5}], "title")
    assert f'<path fill="{SEQUENTIAL[7]}" d="M0 0h1v1h-1z"/>' in drawing
    assert f'<path fill="{SEQUENTIAL[4]}" d="M0 1h1v1h-1z"/>' in drawing  # √0.3 = 0.55
    assert f'<path fill="{SEQUENTIAL[5]}" d="M1 2h2v1h-2z"/>' in drawing  # neighbours of one shade are one stroke
    assert [drawing.count(f">{token}</text>") for token in tokens] == [2, 2, 2]
    assert "style=" not in drawing


def test_a_long_document_is_drawn_as_far_as_it_can_be_read_and_the_rest_is_gathered():
    n = attention_maps.READABLE + 5
    rows = [{n - 1: 0.4, n - 2: 0.4} for _ in range(n)]
    drawing = attention_maps.miniature(["t"] * n, rows, "title")
    assert drawing.count(">t</text>") == 2 * attention_maps.READABLE
    assert ">later</text>" in drawing
    [(shade, path)] = re.findall(r'<path fill="(#[^"]+)" d="([^"]+)"', drawing)
    assert shade == SEQUENTIAL[7]  # 0.4 + 0.4, and √0.8 = 0.89
    assert path == "".join(f"M{attention_maps.READABLE + 0.8} {i}h1v1h-1z" for i in range(attention_maps.READABLE))


def test_a_drawing_stays_small():
    n = attention_maps.READABLE
    uneven = [{key: ((key * 7 + query) % 5 + 1) / 20 for key in range(n)} for query in range(n)]
    assert len(attention_maps.miniature(["token"] * n, uneven, "title")) < 20_000


@pytest.mark.parametrize(
    ("token", "label"),
    [
        (" good", "good"),
        ("\n\n", "␣"),
        ("", "␣"),
        ("extraordinary", "extraordi…"),
        ("这部电影一点", "这部电影…"),
        ("a\u202eb", "a[U+202E]…"),
    ],
)
def test_a_token_at_the_margin_is_one_short_line(token, label):
    assert attention_maps.label(token) == label


def test_each_pattern_is_drawn_named_and_put_into_numbers(run):
    findings, _ = run
    body = section(render_html(*run))
    shown = findings.analyses["attention"].mapped_heads
    assert {head.name for head in shown} == {"previous", "special", "sink"}
    assert body.split('<div class="grids maps">')[1].split("</div>")[0].count("<figure>") == len(shown)
    text = words(body)
    for head in shown:
        assert f"L{head.layer} H{head.head}: {mapped_heads.NAMES[head.name]} {head.value:.2f}" in text
    assert "A strong line just below the diagonal: each token looks at the one before it." in text
    assert "Drawn by the seed before the run, whatever their attention: 3 documents of 8 to 64 tokens." in text
    assert "100% of the attention is drawn." in text
    assert "a → charming 1.00" not in text


def test_a_run_without_maps_has_neither_drawings_nor_explorer():
    findings, evidence = classifier()
    body = section(render_html(findings, attending(evidence, {})))
    assert "explorer" not in body
    assert "single documents" not in body
    assert "Heads by pattern" in body


def test_of_a_causal_model_the_beginning_is_shown_and_the_first_query_is_no_link():
    findings, evidence = language_model()
    text = words(section(render_html(findings, evidence)))
    assert "of a long one the first 64 tokens are mapped, which see no others" in text
    record = next(iter(evidence.of("attention").values()))
    previous = next(head for head in findings.analyses["attention"].mapped_heads if head.name == "previous")
    table = mapped_heads.compose(Sources(findings, evidence), findings.analyses["attention"]).table
    [row] = [row for row in table.rows if row[1] == "previous token"]
    first, second = (attention_maps.label(token) for token in record.tokens[:2])
    assert row[-1].startswith(f"{second} → {first} 1.00")
    assert row[0] == f"L{previous.layer} H{previous.head}"


def test_the_explorer_has_the_heaviest_keys_of_every_head(run):
    findings, evidence = run
    found = json.loads(data(render_html(*run)))
    assert found["keys"] == 8
    assert len(found["heads"]) == 48
    for shown, document in zip(found["documents"], findings.analyses["attention"].mapped, strict=True):
        record = evidence.of("attention")[document]
        raw = base64.b64decode(shown["map"])
        assert shown["tokens"] == list(record.tokens)
        assert len(raw) == 48 * record.n_tokens * 16
        for cell in (0, 17, 47):
            for query, row in enumerate(attention_maps.rows(record.map, cell)):
                start = (cell * record.n_tokens + query) * 16
                pairs = [(raw[i], raw[i + 8] / 255) for i in range(start, start + 8) if raw[i + 8]]
                assert pairs == list(row.items())[:8]


def test_no_token_can_end_the_script_of_the_explorer(run):
    findings, evidence = run
    attacks = ("</script><script>alert(1)</script>", "<!--/screen-->", "\u2028\u2029", "&lt;", "]]>", *HOSTILE)
    records = {
        name: replace(record, tokens=(attacks * 9)[: record.n_tokens])
        for name, record in evidence.of("attention").items()
    }
    html = render_html(findings, attending(evidence, records))
    raw = data(html)
    assert not set("<>&\u2028\u2029") & set(raw)
    assert json.loads(raw)["documents"][0]["tokens"][0] == attacks[0]
    assert "<script>alert(1)" not in html
    assert html.count("<!--screen-->") == html.count("<!--/screen-->")


def test_controls_are_labelled_hidden_without_the_script_and_not_for_paper(run):
    body = section(render_html(*run))
    explorer = body.split("<!--screen-->")[1].split("<!--/screen-->")[0]
    assert '<div class="explorer" hidden>' in explorer
    assert explorer.count("<select") == explorer.count("<label>") == 3
    assert explorer.count('<button type="button"') == 2
    assert '<p class="reading" role="status">' in explorer
    assert "style=" not in body


def large(run, n_tokens, n_documents, n_layers=12, n_heads=12):
    """Maps of random bytes would do: only their size counts."""
    findings, evidence = run
    record = next(iter(evidence.of("attention").values()))
    size = n_layers * n_heads * n_tokens * N_KEYS
    whole = AttentionMap(0, n_tokens, N_KEYS, bytes(size), bytes(size), (1.0,) * (n_layers * n_heads))
    records = [
        replace(record, n_layers=n_layers, n_heads=n_heads, n_tokens=n_tokens, tokens=("token",) * n_tokens, map=whole)
    ] * n_documents
    return records, findings.analyses["attention"].model_copy(update={"n_layers": n_layers, "n_heads": n_heads})


@pytest.mark.parametrize(("layers", "heads"), [(12, 12), (30, 9), (32, 32), (80, 64)])
def test_the_explorer_of_six_long_documents_stays_well_below_half_a_megabyte(run, layers, heads):
    found = attention_explorer.build(*large(run, 64, 6, layers, heads))
    assert len(found.data) < 1.15 * attention_explorer.BUDGET < 400_000
    assert len(found.documents) + found.n_left_out == 6
    assert found.documents
    assert found.has_all_heads == (layers < 32)


def test_more_keys_are_shown_where_they_fit(run):
    assert attention_explorer.build(*large(run, 20, 6)).n_keys == 6
    assert attention_explorer.build(*large(run, 10, 6)).n_keys == 8
    assert attention_explorer.build(*large(run, 64, 6)).n_keys == 4


def test_nothing_mapped_gives_no_explorer(run):
    assert attention_explorer.build([], run[0].analyses["attention"]) is None


def test_the_section_is_said_in_the_language_of_the_report(run):
    findings, evidence = run
    with speaking("zh"):
        found = mapped_heads.compose(Sources(findings, evidence), findings.analyses["attention"])
    assert found is not None
    assert len(found.drawings) == 3
