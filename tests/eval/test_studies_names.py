"""Names across scripts, measured on public names."""

from __future__ import annotations

import pytest

from eval.studies.names import measure, places, same_name


def test_most_of_the_names_of_places_are_found_in_another_script() -> None:
    english, hindi = places("en"), places("hi")
    tally = measure(english, hindi, ("en", "hi"))
    assert tally.pairs > 500
    assert tally.recall >= 0.92
    assert tally.precision >= 0.92


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        pytest.param("Denmark", "डेनमार्क", True, id="one name"),
        pytest.param("Greece", "यूनान", False, id="another name"),
        pytest.param("Hong Kong", "হংকং", False, id="as many words"),
        pytest.param("St. Kitts", "सेंट किट्स", False, id="abbreviated"),
    ],
)
def test_forms_of_one_name_are_told_from_other_names(left: str, right: str, same: bool) -> None:
    assert same_name(left, right) is same
