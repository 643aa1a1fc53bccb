"""Filters for cohorts."""

from __future__ import annotations

import operator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.phenotypes import Column, Filter
from ngc_workbench.genomes.phenotypes.filters import MOST_CHARACTERS, MOST_DEPTH

COLUMNS = (
    Column("age", "int32"),
    Column("weight", "float64"),
    Column("sex", "str", kind="category", values=("female", "male")),
    Column("case", "bool"),
    Column("icd", "str", kind="code", system="ICD-10"),
    Column("town", "str"),
    Column("seen", "date", kind="date"),
)
ANNA = (54, 70.5, "female", True, "E119", 'Ny "by"\\', "2020-01-01")
NOBODY = (None,) * len(COLUMNS)


def asked(text: str, values=ANNA) -> bool:
    return Filter.parse(text, COLUMNS).matches(values)


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("age >= 54", True), ("age > 54", False), ("age <= 54", True), ("age < 54", False), ("age == 54", True),
        ("age != 54", False), ("age == 54.0", True), ("age < 54.5", True), ("weight == 70.5", True),
        ("weight>.705e2", False), ("age > -1", True), ('sex == "female"', True), ('sex != "female"', False),
        ("case", True), ("not case", False), ("case == true", True), ("case != true", False), ("case == false", False),
        ('icd == "E11.9"', True), ('icd startswith "E11"', True), ('icd startswith "E11.9"', True),
        ('icd startswith "E12"', False), ('icd in ("E10", "E119")', True), ('icd not in ("E10", "E119")', False),
        ("age in (1, 54)", True), ("age not in (1, 2)", True), ('town == "Ny \\"by\\"\\\\"', True),
        ("age is missing", False), ("age is not missing", True), ("seen is missing", False),
        ('age > 60 or sex == "female" and case', True), ('(age > 60 or sex == "female") and not case', False),
        ("not age > 60 and case", True), ("not (age > 60 and case)", True), ("not not case", True),
        ("((((age == 54))))", True),
    ],
)  # fmt: skip
def test_filters_say_what_they_read_like(text, yes):
    """`not` binds closest, then `and`, then `or`."""
    assert asked(text) is yes
    assert asked(f"not ({text})") is not yes


@pytest.mark.parametrize(
    "text",
    [
        "age >= 0", "age < 0", "age != 3", "not age == 3", "age in (1, 2)", "age not in (1, 2)", "case", "not case",
        'icd startswith "E"', 'not icd startswith "E"', "age > 0 or age <= 0", "age > 0 and age is missing",
    ],
)  # fmt: skip
def test_a_missing_value_is_in_no_comparison(text):
    """Nor in its negation: unknown is not true."""
    assert asked(text, NOBODY) is False


def test_what_is_known_decides_beside_what_is_not():
    """True `or` unknown is true; false `and` unknown is false, so `not` of it is true. NaN is missing."""
    values = (54, None, None, False, None, None, None)
    assert asked("age > 50 or weight > 70", values)
    assert not asked("age > 50 and weight > 70", values)
    assert asked("not (age < 50 and weight > 70)", values)
    assert asked("weight is missing", (54, float("nan"), None, None, None, None, None))
    assert not asked("weight != 3", (54, float("nan"), None, None, None, None, None))


SAME = [
    ("age >= 40", "not age < 40", " age>=40.0 ", "not (age < 40)", "age >= 40 and age >= 40", "age >= 4e1"),
    ("case and age > 1", "age > 1 and case", "not (not case or age <= 1)", "case == true and (age > 1)"),
    ('icd == "E119"', 'icd in ("E11.9")', 'icd in ("E119", "E11.9")', 'not icd != "E11.9"'),
    ("age in (1, 2)", "age in (2, 1, 2.0)", "not age not in (1, 2)"),
    ("case or age > 1 or age < 0", "(age < 0 or case) or age > 1"),
    ("age is missing", "not age is not missing"),
    ("not case", "case == false", "case != true", "not not not case"),
]


@pytest.mark.parametrize("ways", SAME)
def test_ways_to_write_the_same_are_one(ways):
    """They share a cut: equal, of one text, of one hash."""
    filters = [Filter.parse(text, COLUMNS) for text in ways]
    assert len({str(one) for one in filters}) == 1
    assert len(set(filters)) == 1
    assert Filter.parse("age > 2", COLUMNS) not in filters


def test_a_filter_knows_what_it_asks():
    """Names of columns."""
    assert Filter.parse('age > 1 and (case or town == "x")', COLUMNS).fields == {"age", "case", "town"}


BAD = [
    ("", "at its end: here the name of a phenotype", ""),
    ("age >", "at its end: age is a number", ""),
    ("height > 3", 'position 1 ("height > 3"): there is no such phenotype', "age, weight, sex"),
    ("age > 3 height", 'position 9 ("height"): here `and`', ""),
    ("age > 3 and", "at its end", ""),
    ("3 < age", "position 1", ""),
    ('age > "3"', "position 7", ""),
    ("age = 3", 'position 5 ("= 3")', "Write =="),
    ("age > 3 & case", "position 9", "Write `and`"),
    ("sex == 'male'", "position 8", "double quotes"),
    ('sex == "male', "position 8", "not closed"),
    ('sex == "a\\n"', "position 8", "backslash"),
    ('sex == "Male"', 'position 8 (""Male""): sex has no such value', "female, male"),
    ('sex in ("male", "x")', "position 17", "female, male"),
    ('sex < "male"', "position 5", "=="),
    ("sex", "its end: here a comparison", ""),
    ("sex == 3", "position 8", ""),
    ('age startswith "3"', "position 16", ""),
    ('icd == "E1"', "position 8", "E11.9"),
    ('icd startswith "1"', "position 16", ""),
    ('icd startswith ""', "position 16", ""),
    ('town startswith ""', "position 17: the beginning is empty".replace("17:", '17 (""""):'), ""),
    ("case > true", "position 6", ""),
    ("case == 1", "position 9", ""),
    ("case in (true)", "position 9", ""),
    ("age in ()", "position 9", ""),
    ("age in (1,)", "position 11", ""),
    ("age in (1", "at its end: here `)`", ""),
    ("age in 1", "position 8", ""),
    ("age not 3", "position 9", ""),
    ("age is 3", "position 8", ""),
    ("(age > 3", "at its end: here `)`", ""),
    ("age > 3)", "position 8", ""),
    ("age > 1e999", "position 7", ""),
    ("age > 1000000000000000000", "position 7", ""),
    ("age > " + "9" * 400, "position 7", ""),
    ("age > 3years", "position 7", ""),
    ("age > 1.2.3", "position 7", ""),
    ("age > weight", "position 7", ""),
    ("age > true", "position 7", ""),
    ('seen > "2020-01-01"', "position 1", "category"),
    ('seen == "2020-01-01"', "position 1", "category"),
    ('seen in ("2020-01-01")', "position 1", "category"),
    ('seen startswith "2020"', "position 1", "category"),
    ("and", "position 1", ""),
    ("missing", "position 1", ""),
    ("__import__", "position 1", ""),
    ("age.real > 3", "position 4", ""),
    ("age > 3; case", "position 8", ""),
    ("AGE > 3", "no such phenotype", ""),
    ("age > ٣", "position 7", ""),
]


@pytest.mark.parametrize(("text", "what", "remedy"), BAD)
def test_what_can_not_be_read_is_told_with_its_position(text, what, remedy):
    """Counted from 1, with what stands there."""
    with pytest.raises(InputError) as caught:
        Filter.parse(text, COLUMNS)
    assert what in caught.value.what
    assert remedy in caught.value.remedy
    assert caught.value.remedy


def test_a_cpr_number_is_refused_and_not_repeated():
    """A filter is stored, and shown to those who approve it."""
    with pytest.raises(InputError, match="holds a CPR number") as caught:
        Filter.parse('town == "610270-1234"', COLUMNS)
    assert "610270" not in str(caught.value)


def test_depth_and_length_are_bounded():
    """Before the parser's own stack is."""
    for opened, closed in (("(", ")"), ("not ", ""), ("not (", ")")):
        depth = MOST_DEPTH // len(opened.split("(")[0].split() + ["("] * opened.count("("))
        Filter.parse(opened * depth + "case" + closed * depth, COLUMNS)
        with pytest.raises(InputError, match="nested deeper"):
            Filter.parse(opened * (depth + 1) + "case" + closed * (depth + 1), COLUMNS)
    with pytest.raises(InputError, match="nested deeper"):
        Filter.parse("(" * 4000, COLUMNS)
    # Brackets beside one another are no nesting.
    Filter.parse(" or ".join(f"(age == {number} and not case)" for number in range(2 * MOST_DEPTH)), COLUMNS)
    assert Filter.parse("case".ljust(MOST_CHARACTERS), COLUMNS)
    with pytest.raises(InputError, match="characters"):
        Filter.parse("case".ljust(MOST_CHARACTERS + 1), COLUMNS)
    # Its canonical text would have more.
    long = (
        "not (" + " or ".join(f'icd startswith "A{number:02}{rest}"' for number in range(86) for rest in "0123") + ")"
    )
    assert len(long) < MOST_CHARACTERS
    with pytest.raises(InputError, match="characters"):
        Filter.parse(long, COLUMNS)


# An oracle of its own: Kleene's logic by numbers (false 0, unknown 1/2, true 1), over trees that are written with
# brackets around everything.
SIGNS = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
WHOLE = st.integers(-3, 3)
NUMBERS = st.one_of(WHOLE, st.sampled_from([0.5, 1.0, -2.5, 1e-7, 1e17, 1e18, 3e300]))
TOWNS = st.text('ab"\\ ', min_size=1, max_size=3)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def known(at, rule):
    return lambda values: 0.5 if values[at] is None else float(rule(values[at]))


TERMS = st.one_of(
    st.builds(
        lambda at, sign, n: (f"{COLUMNS[at].name} {sign} {n!r}", known(at, lambda v: SIGNS[sign](v, n))),
        st.sampled_from([0, 1]), st.sampled_from(sorted(SIGNS)), NUMBERS,
    ),
    st.builds(
        lambda sign, t: (f"town {sign} {quoted(t)}", known(5, lambda v: SIGNS[sign](v, t))),
        st.sampled_from(["==", "!="]), TOWNS,
    ),
    st.builds(lambda t: (f"town startswith {quoted(t)}", known(5, lambda v: v.startswith(t))), TOWNS),
    st.builds(
        lambda ts, no: (
            f"town {'not ' * no}in ({', '.join(map(quoted, ts))})", known(5, lambda v: (v in ts) is not no),
        ),
        st.lists(TOWNS, min_size=1, max_size=3), st.booleans(),
    ),
    st.builds(
        lambda ns, no: (f"age {'not ' * no}in ({', '.join(map(repr, ns))})", known(0, lambda v: (v in ns) is not no)),
        st.lists(NUMBERS, min_size=1, max_size=3), st.booleans(),
    ),
    st.just(("case", known(3, bool))),
    st.builds(lambda b: (f"case == {str(b).lower()}", known(3, lambda v: v is b)), st.booleans()),
    st.builds(
        lambda at, no: (f"{COLUMNS[at].name} is {'not ' * no}missing", lambda v: float((v[at] is None) is not no)),
        st.sampled_from([0, 1, 3, 5, 6]), st.booleans(),
    ),
)  # fmt: skip


def combine(inner):
    return st.one_of(
        st.builds(lambda a: (f"not ({a[0]})", lambda v: 1 - a[1](v)), inner),
        st.builds(lambda a, b: (f"({a[0]}) and ({b[0]})", lambda v: min(a[1](v), b[1](v))), inner, inner),
        st.builds(lambda a, b: (f"({a[0]}) or ({b[0]})", lambda v: max(a[1](v), b[1](v))), inner, inner),
    )


TREES = st.recursive(TERMS, combine, max_leaves=12)
PEOPLE = st.tuples(
    st.none() | WHOLE, st.none() | st.floats(-3, 3) | st.just(0.5), st.none(), st.none() | st.booleans(), st.none(),
    st.none() | TOWNS, st.none() | st.just("2020-01-01"),
)  # fmt: skip


@settings(max_examples=400)
@given(TREES, st.lists(PEOPLE, min_size=1, max_size=8))
def test_filters_agree_with_kleenes_logic(tree, people):
    """And their canonical text is read as the same filter."""
    text, oracle = tree
    try:
        one = Filter.parse(text, COLUMNS)
    except InputError as error:
        assert "nested deeper" in error.what  # noqa: PT017  (which trees are too deep is beside the point)
        return
    again = Filter.parse(str(one), COLUMNS)
    assert again == one
    assert str(again) == str(one)
    assert hash(again) == hash(one)
    for values in people:
        assert one.matches(values) is (oracle(values) == 1)
        assert again.matches(values) is one.matches(values)


@given(st.text(alphabet='age<=>!() "\\inotrdcsxm,.3-éE', max_size=60))
def test_any_text_is_read_or_refused(text):
    """Nothing else is ever raised."""
    try:
        Filter.parse(text, COLUMNS)
    except InputError as error:
        assert error.remedy  # noqa: PT017  (a text that is a filter is fine too)
