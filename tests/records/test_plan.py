"""A plan is read back as it was written, and whatever is wrong in the file is named with its key."""

import copy
import json
import math
from dataclasses import fields, is_dataclass, replace
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import StoreError
from auditor.records import plan as plans
from auditor.records.plan import Bound, Plan, PlannedProbe, PlannedWaiver
from auditor.records.proof import Proof, SelfCheck
from tests.records.planned import planned

PROOF = Proof("models/tiny", "answers", "packed", None, "padded", 1e-7, "probability", 12, 40)
BOUND = {"at_least": None, "at_most": None, "required": True, "not_worse_than_baseline_by": None}
SELF_CHECK = SelfCheck("lime", 54, 1e-15, 1e-6, 2.5, 5.0)
TEXT = st.text(st.characters(), max_size=8)  # lone surrogates too
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
FREE = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple) | st.dictionaries(TEXT, inner, max_size=3)
    ),
    max_leaves=6,
)
BOUNDS = st.builds(Bound, at_least=FLOATS, required=st.booleans()) | st.builds(
    Bound, at_most=FLOATS | st.integers(-9, 9)
)
NAMES = st.from_regex(plans.PROBE_NAME, fullmatch=True)
for hint, strategy in ((str, TEXT), (float, FLOATS), (Bound, BOUNDS)):
    st.register_type_strategy(hint, strategy)


def _fields_of(kind: type) -> dict[str, st.SearchStrategy[Any]]:
    hints = get_type_hints(kind)
    known = {"parameters": st.dictionaries(TEXT, FREE, max_size=4), "configuration": st.dictionaries(TEXT, FREE)}
    return {field.name: known.get(field.name, st.from_type(hints[field.name])) for field in fields(kind)}


PROBES = st.dictionaries(NAMES, st.builds(PlannedProbe, **_fields_of(PlannedProbe)), max_size=3)
PLANS = st.builds(Plan, **{**_fields_of(Plan), "probes": PROBES})


def turned(value: object) -> object:
    """The same with every mapping in the opposite order."""
    if is_dataclass(value):
        return replace(value, **{field.name: turned(getattr(value, field.name)) for field in fields(value)})
    if isinstance(value, dict):
        return {key: turned(item) for key, item in reversed(value.items())}
    return tuple(map(turned, value)) if isinstance(value, tuple) else value


@settings(deadline=None, max_examples=60)
@given(PLANS)
def test_any_plan_survives_being_written_and_read(tmp_path_factory, plan):
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    path.write_bytes(plans.write(plan))
    read = plans.read(path)
    assert read == plan
    assert (read.id, plans.write(read), hash(read)) == (plan.id, plans.write(plan), hash(plan))
    for field in fields(Plan):
        assert getattr(read, field.name) == getattr(plan, field.name)


@settings(deadline=None, max_examples=40)
@given(PLANS)
def test_equal_plans_are_equal_bytes_whatever_the_order_of_their_tables(plan):
    assert turned(plan) == plan == copy.deepcopy(plan)
    assert plans.write(turned(plan)) == plans.write(plan)
    assert turned(plan).id == plan.id


def test_numbers_that_python_calls_equal_are_written_alike_or_are_other_plans():
    whole, broken = (planned(checks={"accuracy": Bound(at_least=value)}) for value in (1, 1.0))
    assert (whole, plans.write(whole)) == (broken, plans.write(broken))
    zeros = [planned(checks={"accuracy": Bound(at_most=value)}) for value in (0.0, -0.0)]
    assert plans.write(zeros[0]) == plans.write(zeros[1])
    assert len({planned(configuration={"x": value}) for value in (1, 1.0, True)}) == 3


def test_the_id_ignores_when_where_and_how_it_was_typed_and_nothing_else():
    plan = planned()
    same = {
        "command": "auditor run --fresh",
        "computing": (PROOF,),
        "created": "x",
        "run_id": "y",
        "self_checks": (SELF_CHECK,),
    }
    assert len(plan.id) == 64
    assert replace(plan, **same).id == plan.id
    assert replace(plan, **same) != plan
    others = {
        "title": "b", "task": "fill-mask", "seed": 1, "device": "cuda", "dtype": "bfloat16", "multi_label": True,
        "model": replace(plan.model, name="b"), "references": {"b": plan.model},
        "prompt": replace(plan.prompt, chat=True), "corpus": replace(plan.corpus, n_documents=3),
        "probes": {"lime": PlannedProbe("Explanation", {}, 1, None)}, "left_out": {"attention": "hidden-attention"},
        "checks": {"accuracy": Bound(at_least=0.5)}, "report": replace(plan.report, language="zh"),
        "look": replace(plan.look, logo="data:"), "shards": (), "notes": ("n",), "versions": {},
        "configuration": {"seed": 1}, "waivers": (PlannedWaiver("checks.accuracy", "A", "2027-01-31", "known"),),
    }  # fmt: skip
    assert {*others, *same} == {field.name for field in fields(Plan)}
    ids = {replace(plan, **{name: value}).id for name, value in others.items()}
    assert len({plan.id, *ids}) == 1 + len(others)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_does_not_have_is_refused_with_its_key(value):
    with pytest.raises(ValueError, match=r"^checks\.accuracy\.at_least: expected a finite number, found -?(nan|inf)"):
        plans.write(planned(checks={"accuracy": Bound(at_least=value)}))
    with pytest.raises(ValueError, match=r"^configuration\.lime\.tolerance\[0\]: expected a finite number"):
        planned(configuration={"lime": {"tolerance": [value]}})


def _changed(content: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    """The plan with another value under a dotted key; without the key where the value is `...`."""
    *outer, last = key.split(".")
    table = content
    for name in outer:
        table = table[name]
    if value is ...:
        del table[last]
    else:
        table[last] = value
    return content


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("title", ..., "title: is missing"),
        ("run_id", ..., "run_id: is missing"),
        ("corpus.dialect.encoding", ..., "corpus.dialect.encoding: is missing"),
        ("seed", "0", "seed: expected a whole number, found '0'"),
        ("seed", True, "seed: expected a whole number, found True"),
        ("seed", 1.0, "seed: expected a whole number, found 1.0"),
        ("multi_label", 0, "multi_label: expected true or false, found 0"),
        ("title", None, "title: expected text, found None"),
        ("model", [], "model: expected a table, found []"),
        ("model.labels", "no", "model.labels: expected a list, found 'no'"),
        ("model.labels", ["no", 1], "model.labels[1]: expected text, found 1"),
        ("model.files", {"a": 1}, "model.files.a: expected text, found 1"),
        ("report.language", "xx", "report.language: expected one of 'en', 'zh', found 'xx'"),
        ("report.language", ["en"], "report.language: expected one of 'en', 'zh', found ['en']"),
        ("probes.lime.n_documents", None, "probes.lime.n_documents: expected a whole number, found None"),
        ("probes.lime.more", 1, "probes.lime.more: is unknown; expected record, parameters"),
        ("probes.lime.parameters.x", math.nan, "probes.lime.parameters.x: expected a finite number, found nan"),
        ("probes", {"a\nb" * 99: {}}, "probes.'a\\nba\\nb"),
        ("more", 1, "more: is unknown; expected title"),
        ("checks.a", {**BOUND, "at_least": math.inf}, "checks.a.at_least: expected a finite"),
        ("checks.a", {**BOUND, "at_least": 10**400}, "checks.a.at_least: expected a finite"),
        (
            "checks.a",
            {**BOUND, "at_least": 1, "at_most": 1},
            "checks.a: a bound has one of at_least and at_most, or",
        ),
        ("shards", [{"start": 0}], "shards[0].stop: is missing"),
        ("configuration.a", [[math.nan]], "configuration.a[0][0]: expected a finite number, found nan"),
        ("computing", [{}], "computing[0].model: is missing"),
    ],
)
def test_what_is_wrong_in_the_file_is_named_with_its_key(tmp_path, key, value, said):
    path = tmp_path / "plan.json"
    plan = planned(records={"lime": "Explanation"})
    path.write_text(json.dumps(_changed(json.loads(plans.write(plan)), key, value)))
    with pytest.raises(StoreError) as caught:
        plans.read(path)
    assert str(caught.value).startswith(f"{path}: {said}")
    assert str(caught.value).endswith("; the file was damaged or changed: audit anew")
    assert "\n" not in str(caught.value)


def test_a_probe_whose_name_would_leave_the_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"probes: expected names of a-z, 0-9 and _, found '\.\./secret'"):
        planned(records={"../secret": "Explanation"})
    path = tmp_path / "plan.json"
    path.write_bytes(plans.write(planned(records={"secret": "Explanation"})).replace(b'"secret"', b'"../secret"'))
    with pytest.raises(StoreError, match=r"plan\.json: probes: expected names of a-z"):
        plans.read(path)


@pytest.mark.parametrize("content", [b"", b"[]", b"[" * 100_000, b"\xff\xfe", b'{"format": "auditor.plan/4"}', b"null"])
def test_what_is_no_plan_at_all_is_one_line(tmp_path, content):
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        plans.read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_how_a_model_was_asked_is_added_question_by_question_and_never_replaced():
    more, other = replace(PROOF, question="attention"), replace(PROOF, model="b")
    first = planned().settled([more, PROOF])
    assert first.computing == (PROOF, more)
    again = first.settled([replace(PROOF, way="padded"), other])
    assert again.computing == (other, PROOF, more)
    assert again.id == planned().id
