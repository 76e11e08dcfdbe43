"""Licences: what may be mixed, under which licence the whole is, and what the message says when it may not."""

from __future__ import annotations

import pytest

from aramega.publish.licences import check_licences, spdx_like
from aramega.records import AramegaError


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("CC-BY-4.0", "cc-by-4.0"),
        ("CC BY 4.0", "cc-by-4.0"),
        ("cc by-nc-sa 3.0", "cc-by-nc-sa-3.0"),
        ("CC BY-SA", "cc-by-sa-4.0"),
        ("https://creativecommons.org/licenses/by-nc/4.0/deed.ar", "cc-by-nc-4.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "cc0-1.0"),
        ("CC0", "cc0-1.0"),
        ("cc0 1.0", "cc0-1.0"),
        ("", "unknown"),
        ("All rights reserved", "all rights reserved"),
    ],
)
def test_a_licence_has_one_name_however_it_was_written(said, name):
    assert spdx_like(said) == name


@pytest.mark.parametrize(
    ("recordings", "whole"),
    [
        (["cc0-1.0"], "cc0-1.0"),
        (["cc0-1.0", "cc-by-4.0"], "cc-by-4.0"),
        (["cc-by-4.0", "cc-by-sa-4.0"], "cc-by-sa-4.0"),
        (["cc-by-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0"], "cc-by-nc-sa-4.0"),
        (["cc-by-4.0", "unknown"], "unknown"),
        (["broadcaster's own"], "broadcaster's own"),
        (["broadcaster's own", "cc-by-4.0"], "other"),
    ],
)
def test_the_whole_is_under_the_strictest_of_its_licences(recordings, whole):
    assert check_licences({name: [f"{name}.mp3"] for name in recordings}, "") == whole


@pytest.mark.parametrize("other", ["cc-by-nc-4.0", "cc-by-nc-sa-4.0"])
def test_share_alike_and_non_commercial_cant_be_mixed_and_the_message_names_recordings_and_the_way_out(other):
    with pytest.raises(AramegaError, match=r"can't be mixed.*a\.mp3 and b\.mp3.*--licences cc-by-sa-4\.0"):
        check_licences({"cc-by-sa-4.0": ["a.mp3"], other: ["b.mp3"]}, "")


def test_no_derivatives_cant_be_published_at_all():
    with pytest.raises(AramegaError, match=r"cc-by-nd-4\.0 forbids derivatives.*a\.mp3.*--licences cc-by-4\.0"):
        check_licences({"cc-by-nd-4.0": ["a.mp3"], "cc-by-4.0": ["b.mp3"]}, "")


def test_a_set_cant_claim_to_allow_more_than_its_recordings_do():
    with pytest.raises(AramegaError, match=r"publish\.licence says cc-by-4\.0, but a\.mp3 is under cc-by-nc-4\.0"):
        check_licences({"cc-by-nc-4.0": ["a.mp3"]}, "CC BY 4.0")
    assert check_licences({"cc-by-4.0": ["a.mp3"]}, "CC BY-NC 4.0") == "cc-by-nc-4.0"
