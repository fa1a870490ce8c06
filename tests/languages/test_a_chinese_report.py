"""A report in Chinese, from the conclusions to the paper."""

import json
import re
import subprocess

import foreign_runs
import pytest

from auditor import audit, config, findings
from auditor.report import render_html
from tests.models.tiny import TEXTS, save


class Silent:
    """A progress that nobody watches."""

    def start(self, _):
        pass

    def say(self, _):
        pass

    def advance(self, *_):
        pass


@pytest.fixture(scope="module")
def chinese():
    evidence, context = foreign_runs.classifier()
    results = findings.summarise(evidence, context)
    return results, render_html(results, evidence)


def test_the_page_says_its_language_and_speaks_it(chinese):
    results, html = chinese
    assert '<html lang="zh-Hans"' in html
    assert results.verdict.headline == "9 项检查中有 3 项通过，3 项未通过，1 项须在签字前作出决定，2 项无法判定。"
    for words in ("准确率", "置信区间", "2026年11月22日", "困惑度", "注意力头", "保真度"):
        assert words in html


def test_chinese_stands_without_latin_punctuation_beside_it(chinese):
    text = re.sub(r"<(style|script).*?</\1>|<[^>]*>", "\n", chinese[1], flags=re.DOTALL)
    assert re.findall(r"[\u4e00-\u9fff][,;:!?]|[\u4e00-\u9fff] ?\([\u4e00-\u9fff]", text) == []
    assert re.findall(r"[\u4e00-\u9fff] [，。；：、（）]|[，。；：、] [\u4e00-\u9fff]", text) == []


def test_the_same_conclusions_are_drawn_in_every_language():
    drawn = []
    for language in ("en", "zh"):
        evidence, context = foreign_runs.classifier(language)
        drawn.append(findings.summarise(evidence, context))
    english, foreign = drawn
    numbers = [[(n.name, n.value, n.low, n.high, n.n) for n in results.numbers] for results in drawn]
    assert numbers[0] == numbers[1]
    assert english.verdict.result == foreign.verdict.result
    assert [check.result for check in english.checks] == [check.result for check in foreign.checks]
    for pointed in ("conclusion", "pointers"):
        one, other = ([(p.severity, p.section) for p in getattr(results, pointed)] for results in drawn)
        assert one == other


def test_the_paper_has_its_page_numbers_and_its_language(report):
    command = ["pdftotext", report("chinese").pdf, "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert re.search(r"第 1 页，共 \d+ 页", text)
    assert "未通过" in text


def test_what_is_kept_of_the_input_is_said_in_the_language_of_the_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    labels = {"id2label": {0: "差", 1: "好"}, "label2id": {"差": 0, "好": 1}}
    model = save(tmp_path / "model", "bert", "text-classification", **labels)
    rows = [{"text": f"{text} \x00", "label": i % 2} for i, text in enumerate(TEXTS * 2)]
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    wanted = {"model.name": model, "corpus.path": corpus, "corpus.limit": 8, "report.language": "zh"}
    settings = config.load(None, {**wanted, "probes.prediction": {}}, environment={})
    results = audit.run(settings, pdf=False, command="auditor run", progress=Silent()).findings
    assert results.notes[:3] == (
        "语料中的数字按模型的标签编号解读：0 = 差、1 = 好。",
        f"语料是按标签分层、由种子确定的样本：从 {len(rows)} 篇文档中抽取 8 篇。",
        "读取时替换了 8 篇文档中的控制字符或损坏的 Unicode 字符。",
    )
    assert results.model["Answer"] == "单一标签，softmax"
    assert results.model["Revision"] == "本地文件夹"
    assert results.parameters["prediction"] == {"limit": "默认"}
