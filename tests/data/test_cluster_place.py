from dataclasses import replace
from pathlib import Path

from rrnn_lit.data.cluster_place import mark_place


def test_the_same_folder_and_versions_are_no_complaint(tmp_path: Path) -> None:
    place = mark_place(tmp_path)
    assert place.complaint() is None
    assert {"nltk", "py3langid", "rrnn_lit", "code of rrnn_lit"} <= place.versions.keys()


def test_another_version_is_named(tmp_path: Path) -> None:
    place = mark_place(tmp_path)
    other = replace(place, versions={**place.versions, "nltk": "1.0"})
    assert str(other.complaint()).startswith("wanted nltk 1.0 as here, got 3.")
    other = replace(place, versions={**place.versions, "extra": "2"})
    assert other.complaint() == "wanted extra 2 as here, got none"


def test_a_folder_that_is_not_shared_is_named(tmp_path: Path) -> None:
    place = mark_place(tmp_path)
    elsewhere = replace(place, token_file=tmp_path / "elsewhere" / "token")
    complaint = str(elsewhere.complaint())
    assert complaint.startswith(f"wanted to see {tmp_path}/elsewhere at the same path, got ")
    mark_place(tmp_path)  # as if another folder had been mounted there
    assert place.complaint() == f"wanted the {tmp_path} of here, got another folder"
