"""Names across scripts, measured on public names."""

from __future__ import annotations

from functools import partial

import pytest

from eval.studies.names import is_of, measure, one_place, places, same_name


def test_most_of_the_names_of_places_are_found_in_another_script() -> None:
    english, hindi = places("en"), places("hi")
    tally = measure(english, hindi, ("en", "hi"), twins=one_place([english, hindi]))
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


def test_a_place_that_is_listed_twice_is_one_place() -> None:
    twins = one_place(
        [{"AD": "Andorra", "Europe/Andorra": "Andorra"}, {"AD": "अंडोरा", "Europe/Andorra": "एंडोरा"}]
    )
    assert twins["AD"] == {"AD", "Europe/Andorra"}


def test_cities_are_measured_apart_from_territories() -> None:
    names = {"SE": "Sverige", "Europe/Oslo": "Oslo"}
    counted = [
        measure(names, names, ("sv", "sv"), twins=one_place([names]), chosen=partial(is_of, kind=kind)).pairs
        for kind in ("cities", None)
    ]
    assert counted == [1, 2]
