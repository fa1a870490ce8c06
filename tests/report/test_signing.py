"""A signed report says who signed it and when, and no later change of the file goes unseen."""

import shutil
from datetime import datetime
from pathlib import Path

import pytest
from printed_runs import small_run
from signing_keys import SECRET, Authority

from auditor import audit
from auditor.errors import ConfigError, InstallationError, VerificationError
from auditor.findings.contract.presentation import Reviewer
from auditor.records.store import open_run
from auditor.records.verification import verify
from auditor.report.page import signatures, signing, signing_key
from auditor.report.page.signing_key import Key
from auditor.running import proving
from auditor.terminal.cli import main


def only(content, roots=()):
    """The one signature of a PDF."""
    (made,) = signatures.verify(content, roots)
    return made


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """A folder: root.pem; a reviewer's key with certificate as PKCS #12 and as PEM; the root of somebody else."""
    folder = tmp_path_factory.mktemp("keys")
    authority = Authority(folder)
    authority.issue("ada", "Ada Reviewer")
    authority.issue("bo", "Bo Validator")
    Authority(folder, "Other Root", "other.pem")
    return folder


@pytest.fixture(autouse=True)
def _passphrase(monkeypatch):
    monkeypatch.setenv("AUDITOR_SIGNING_PASSPHRASE", SECRET.decode())


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run with a line for anybody, and one for Ada."""
    return small_run(
        tmp_path_factory.mktemp("made"), reviewers=(Reviewer(name="Model owner"), Reviewer(name="Ada Reviewer"))
    )


@pytest.fixture
def run(made, tmp_path):
    """A run of which the PDF is not signed yet."""
    shutil.copytree(made.path.parent, tmp_path / made.path.parent.name)
    return open_run(made.run_id, tmp_path)


@pytest.fixture(scope="module")
def signed(made, keys):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDITOR_SIGNING_PASSPHRASE", SECRET.decode())
        return signing.sign(made.read_bytes("report.pdf"), Key(keys / "ada.p12"))


def test_signer_and_time_are_named_and_the_root_decides_whether_they_are_believed(signed, keys):
    known, unknown = only(signed, [keys / "root.pem"]), only(signed)
    assert (known.signer, known.is_trusted, unknown.is_trusted, known.is_timestamped) == (
        "Ada Reviewer", True, None, False,
    )  # fmt: skip
    assert abs(datetime.fromisoformat(known.time).timestamp() - datetime.now().timestamp()) < 3_600
    with pytest.raises(VerificationError, match="by Ada Reviewer, whose certificate comes from none of the roots"):
        signatures.verify(signed, [keys / "other.pem"])


def test_the_pages_and_attachments_are_those_of_before(signed, made):
    assert signed.startswith(made.read_bytes("report.pdf")), "an incremental update"
    before, after = proving.pdf_reading.read(made.read_bytes("report.pdf")), proving.pdf_reading.read(signed)
    assert after == before


def test_no_later_change_goes_unseen(signed):
    start = signed.index(b"/Contents <3") + len("/Contents <")
    places = (9, len(signed) // 3, signed.index(b"/ByteRange") - 300, start + 2, len(signed) - 200)
    for at in (*places, *range(start, signed.index(b">", start), 211)):
        for bit in (1, 32):  # 32: of a hexadecimal digit, its case
            flipped = bytearray(signed)
            flipped[at] ^= bit
            with pytest.raises(VerificationError):
                signatures.verify(bytes(flipped))
    for more in (b"\n", b"% more\n%%EOF\n", signed[-1500:]):
        with pytest.raises(VerificationError):
            signatures.verify(signed + more)
    with pytest.raises(VerificationError):
        signatures.verify(signed[:-100])


def test_an_incremental_update_after_the_signature_is_found(signed):
    from io import BytesIO

    from pyhanko.pdf_utils.generic import NameObject, pdf_string
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    writer, out = IncrementalPdfFileWriter(BytesIO(signed)), BytesIO()
    writer.root[NameObject("/Lang")] = pdf_string("zh")
    writer.update_root()
    writer.write(out)
    with pytest.raises(VerificationError, match="does not cover the whole file: it was changed afterwards"):
        signatures.verify(out.getvalue())


def test_a_run_is_signed_and_sound_and_signed_once(run, keys, capsys):
    before = run.manifest()
    assert main(["sign", str(run.path), "--key", str(keys / "ada.p12")]) == 0
    assert "signed by Ada Reviewer at 20" in capsys.readouterr().out
    assert verify(run) == []
    assert run.manifest()["sums_before"] == [before["sums"]]
    assert main(["verify", str(run.path), "--trust", str(keys / "root.pem")]) == 0
    assert "note: report.pdf is signed by Ada Reviewer at 20" in capsys.readouterr().out
    assert main(["verify", str(run.path), "--trust", str(keys / "other.pem")]) == 6
    assert main(["sign", str(run.path), "--key", str(keys / "ada.p12")]) == 2
    assert "it is signed already" in capsys.readouterr().err


def test_a_run_is_signed_by_two_who_can_be_seen_and_is_sound(run, keys, capsys):
    assert main(["sign", str(run.path), "--key", str(keys / "ada.p12"), "--visible", "--reason", "Approved"]) == 0
    assert main(["sign", str(run.path), "--key", str(keys / "bo.p12"), "--line", "1"]) == 0
    assert main(["verify", str(run.path), "--trust", str(keys / "root.pem")]) == 0
    told = capsys.readouterr().out
    assert "is signed by Ada Reviewer at 20" in told
    assert "(by the clock of the signer), “Approved”" in told
    assert "is signed by Bo Validator at 20" in told


def test_a_run_that_was_changed_is_not_signed(run, keys):
    (run.path / "report.html").write_bytes(b"<html>forged")
    before = run.read_bytes("report.pdf")
    assert main(["sign", str(run.path), "--key", str(keys / "ada.p12")]) == 6
    assert run.read_bytes("report.pdf") == before


def test_a_pdf_alone_is_signed_with_a_key_in_pem_and_one_whose_signature_is_gone_is_found(run, keys, tmp_path, capsys):
    path = tmp_path / "report.pdf"
    path.write_bytes(run.read_bytes("report.pdf"))
    key = ["--key", str(keys / "ada.key"), "--certificate", str(keys / "ada.pem")]
    assert main(["sign", str(path), *key]) == 0
    assert main(["verify", str(path), "--trust", str(keys / "root.pem")]) == 0
    path.write_bytes(run.read_bytes("report.pdf"))
    capsys.readouterr()
    assert main(["verify", str(path)]) == 0
    assert main(["verify", str(path), "--trust", str(keys / "root.pem")]) == 6
    assert "report.pdf: has no signature, and roots of trust were given" in capsys.readouterr().out


def test_keys_that_cannot_be_used_are_one_line(keys, tmp_path, monkeypatch):
    (tmp_path / "none.p12").write_bytes(b"nothing")
    for key, told in (
        (Key(tmp_path / "gone.p12"), "there is no such file"),
        (
            Key(tmp_path / "none.p12"),
            "the key or its certificate cannot be opened: another format, or another passphrase",
        ),
        (Key(keys / "ada.key"), "needs its certificate"),
        (Key(keys / "ada.p12", passphrase_variable="NOT_SET"), "of the variable NOT_SET, which is not set"),
    ):
        with pytest.raises(ConfigError, match=told) as caught:
            signing_key.open_signer(key)
        assert "\n" not in str(caught.value)
    monkeypatch.setattr(signatures, "find_spec", lambda _: None)
    with pytest.raises(InstallationError, match=r"pip install 'auditor\[sign\]'"):
        signing_key.open_signer(Key(keys / "ada.p12"))


def test_a_timestamp_server_that_does_not_answer_is_one_line(made, keys):
    key = Key(keys / "ada.p12", timestamp="http://127.0.0.1:9/")
    with pytest.raises(
        ConfigError, match=r"nothing was signed: no timestamp came from http://127\.0\.0\.1:9/: Cannot connect"
    ):
        signing.sign(made.read_bytes("report.pdf"), key)


def test_the_configuration_signs_what_is_written(made, keys, tmp_path, monkeypatch):
    from auditor import config
    from auditor.running import sealing

    (tmp_path / "audit.toml").write_text(
        f'[corpus]\npath = "d.jsonl"\n[model]\nname = "m"\n[report.signature]\nkey = "{keys}/ada.p12"\n'
    )
    seal = sealing.seal_of(config.load(tmp_path / "audit.toml", {}, environment={}))
    content = made.read_bytes("report.pdf")
    monkeypatch.setattr(audit.report, "render_pdf", lambda *_: content)
    written = {}

    class Kept:
        plan = made.plan
        write = staticmethod(written.__setitem__)

    audit._write_pdf(Kept, "", None, b"", audit.report.PLAIN, seal, None)
    assert only(written["report.pdf"], [Path(keys) / "root.pem"]).signer == "Ada Reviewer"
    (keys / "gone.p12").unlink(missing_ok=True)
    with pytest.raises(ConfigError, match="there is no such file"):
        sealing.seal_of(config.load(tmp_path / "audit.toml", {"report.signature.key": "gone.p12"}, environment={}))
