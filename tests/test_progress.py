"""Progress goes to stderr: bars on a terminal, few lines elsewhere."""

import io
import sys

import pytest

from auditor.terminal.progress import Bar, Lines, open_progress


def test_a_log_gets_one_line_for_every_tenth(capsys):
    with Lines() as progress:
        progress.start({"lime": 200, "attention": 3})
        for _ in range(100):
            progress.advance("lime", 2)
        for _ in range(3):
            progress.advance("attention", 1)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert [line for line in lines if line.startswith("lime")] == [
        f"lime: {n} of 200 documents" for n in range(20, 201, 20)
    ]
    assert lines[-1] == "attention: 3 of 3 documents"


def test_a_resumed_probe_that_has_nothing_to_do_is_silent(capsys):
    progress = Lines()
    progress.start({"lime": 0})
    progress.advance("lime", 0)
    assert capsys.readouterr().err == ""


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_bars_and_news_above_them(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    with open_progress() as progress:
        assert isinstance(progress, Bar)
        progress.start({"lime": 4})
        progress.say("loading [red]model[/red]")
        progress.advance("lime", 4)
        progress.advance("unknown", 1)
    shown = sys.stderr.getvalue()
    assert "loading [red]model[/red]" in shown
    assert "4/4" in shown


def test_the_bars_are_put_away_after_an_error(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(ZeroDivisionError), open_progress():
        _ = 1 / 0


def test_without_a_terminal_there_are_lines(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert isinstance(open_progress(), Lines)
