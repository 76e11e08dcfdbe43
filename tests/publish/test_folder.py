"""Publishing into a folder: what a stranger loads is what the workspace holds, and a version comes whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import datasets
import numpy as np
import pytest
import soundfile

from aramega.config.publish import CONFIGURATIONS
from aramega.records import AramegaError, Settled
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import load_drafted
from tests.publish.sets import a_set, describe_recordings, publish_to, resolve
from tests.support.database import connection_of


def load(folder: Path, configuration: str, split: str = "train", **options: object) -> datasets.Dataset:
    return datasets.load_dataset(str(folder), configuration, split=split, **options)


def undecoded(rows: datasets.Dataset) -> datasets.Dataset:
    return rows.cast_column("audio", datasets.Audio(decode=False))


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_what_is_loaded_is_what_the_workspace_holds(tmp_path):
    workspace = a_set(tmp_path / "w")
    resolve(workspace)
    publish_to(workspace, tmp_path / "set")
    splits = datasets.get_dataset_split_names(str(tmp_path / "set"), "ssum")
    rows = {row["id"]: row for split in splits for row in undecoded(load(tmp_path / "set", "ssum", split))}
    with Store.open(workspace) as store:
        passages = {number: load_drafted(store, number) for number in find_passages(store)}
    assert rows.keys() == passages.keys()
    for number, known in passages.items():
        row = rows[number]
        assert row["audio"]["bytes"] == (workspace.root / known.passage.clip).read_bytes()
        assert row["transcription"] == known.draft.transcript.text
        assert row["summary"] == known.draft.summary.text
        assert row["recording"] == known.recording.id
        assert row["verified_summary"] is True


def test_every_configuration_loads_streams_and_decodes(tmp_path):
    workspace = a_set(tmp_path / "w", recordings=3)
    publish_to(workspace, tmp_path / "set", configurations=CONFIGURATIONS)
    for name in ("ssum", "asr", "dialect", "emotion"):
        whole, streamed = load(tmp_path / "set", name), load(tmp_path / "set", name, streaming=True)
        first = next(iter(streamed))
        assert first["id"] == whole[0]["id"]
        samples = first["audio"].get_all_samples()
        assert samples.sample_rate == 16_000
        assert samples.data.shape[1] == round(first["seconds"] * 16_000)
    assert "audio" not in load(tmp_path / "set", "text_summ").column_names
    assert json.loads(load(tmp_path / "set", "raw")[0]["draft"])["transcript"]["model"] == "whisper:test"


def test_every_field_says_whether_a_person_stands_behind_it_and_flags_are_a_column(tmp_path):
    workspace = a_set(tmp_path / "w", recordings=1, passages=3)
    first, second, third = resolve(workspace, flags=("overlap", "wrong language"))
    resolve(workspace, [second], title=Settled("عنوان"), flags=())
    with Store.create_or_open(workspace) as store:
        connection_of(store).execute("DELETE FROM resolved WHERE passage = ?", (third,))
    publish_to(workspace, tmp_path / "set")
    for name in ("ssum", "text_summ"):
        rows = {
            row["id"]: row for row in load(tmp_path / "set", name).remove_columns(["audio"] if name == "ssum" else [])
        }
        titles = [rows[passage]["verified_title"] for passage in (first, second, third)]
        assert titles == [True, False, False]
        assert {row["verified_topics"] for row in rows.values()} == {False}
        assert [rows[p]["flags"] for p in (first, second, third)] == [["overlap", "other language"], [], None]
    segments = load(tmp_path / "set", "asr").remove_columns("audio")
    assert {tuple(row["flags"]) for row in segments if row["passage"] == first} == {("overlap", "other language")}
    assert "flags" in load(tmp_path / "set", "dialect").column_names


def test_the_default_configuration_is_ssum_and_labels_are_classes(tmp_path):
    workspace = a_set(tmp_path / "w", recordings=2)
    publish_to(workspace, tmp_path / "set")
    rows = datasets.load_dataset(str(tmp_path / "set"), split="train")
    assert "summary" in rows.column_names
    assert rows.features["dialect"].names[:5] == ["MSA", "EGY", "LEV", "GLF", "NOR"]
    assert rows.features["audio"] == datasets.Audio(sampling_rate=16_000)
    with Store.open(workspace) as store:
        labels = load_drafted(store, rows[1]["id"]).draft.labels
    assert rows.features["dialect"].int2str(rows[1]["dialect"]) == labels.dialect[0].label


def test_a_segment_s_audio_is_its_own_stretch_of_the_clip_to_the_sample(tmp_path):
    workspace = a_set(tmp_path / "w", recordings=1, passages=1)
    publish_to(workspace, tmp_path / "set")
    with Store.open(workspace) as store:
        known = load_drafted(store, next(find_passages(store)))
    clip, _ = soundfile.read(workspace.root / known.passage.clip, dtype="int16")
    for row, segment in zip(undecoded(load(tmp_path / "set", "asr")), known.segments, strict=True):
        samples, _ = soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="int16")
        first = round((segment.start - known.passage.start) * 16_000)
        assert np.array_equal(samples, clip[first : first + len(samples)])
        assert row["id"] == segment.id
        assert row["clip"] == hashlib.sha256(row["audio"]["bytes"]).hexdigest()


def test_rows_without_a_label_are_in_ssum_and_not_in_the_view(tmp_path):
    workspace = a_set(tmp_path / "w", recordings=2)
    with Store.open(workspace) as store:
        first = next(find_passages(store))
    resolve(workspace)
    resolve(workspace, [first], dialect=said(""))
    publish_to(workspace, tmp_path / "set")
    assert len(load(tmp_path / "set", "ssum")) == 4
    assert first not in load(tmp_path / "set", "dialect")["id"]
    assert load(tmp_path / "set", "ssum").filter(lambda n: n == first, input_columns="id")[0]["dialect"] is None


def said(value: str) -> Settled:
    """What a reviewer wrote in a field."""
    return Settled(value, verified=True)


def test_the_same_workspace_gives_the_same_bytes(tmp_path):
    workspace = a_set(tmp_path / "w")
    for name in ("a/set", "b/set"):
        publish_to(workspace, tmp_path / name)
    first, second = contents(tmp_path / "a/set"), contents(tmp_path / "b/set")
    # The card's quick start names the folder it lies in.
    assert {k: v for k, v in first.items() if k != "README.md"} == {k: v for k, v in second.items() if k != "README.md"}


def test_publishing_again_changes_nothing_and_says_so(tmp_path):
    workspace = a_set(tmp_path / "w")
    assert publish_to(workspace, tmp_path / "set").changed
    before = contents(tmp_path / "set")
    assert not publish_to(workspace, tmp_path / "set").changed
    assert contents(tmp_path / "set") == before


def test_a_class_keeps_its_number_when_the_inventory_is_put_in_another_order(tmp_path):
    workspace = a_set(tmp_path / "w")
    publish_to(workspace, tmp_path / "set", dialects=("MSA", "EGY", "LEV", "GLF", "NOR"))
    publish_to(workspace, tmp_path / "set", dialects=("SAU", "NOR", "GLF", "LEV", "EGY", "MSA"))
    assert load(tmp_path / "set", "ssum").features["dialect"].names == ["MSA", "EGY", "LEV", "GLF", "NOR", "SAU"]


def test_a_new_version_replaces_the_old_one_and_its_changelog_says_what_changed(tmp_path):
    workspace = a_set(tmp_path / "w")
    first, *_ = resolve(workspace)
    publish_to(workspace, tmp_path / "set")
    resolve(workspace, [first], summary=said("ملخص آخر."))
    made = publish_to(workspace, tmp_path / "set", tag="v2.0")
    assert made.changes["ssum"].changed == {first: ("summary", "verification")}
    changelog = (tmp_path / "set/CHANGELOG.md").read_text()
    assert changelog.startswith("# Changelog\n\n## v2.0 (")
    assert "`ssum`: 1 changed (summary 1, verification 1)" in changelog
    assert "## 1 (" in changelog
    assert not list(tmp_path.glob(".*"))  # nothing is left of the old version or of the making


def test_a_dry_run_says_what_would_change_and_writes_nothing(tmp_path):
    workspace = a_set(tmp_path / "w")
    gone, *_ = resolve(workspace)
    publish_to(workspace, tmp_path / "set")
    before = contents(tmp_path / "set")
    made = publish_to(workspace, tmp_path / "set", dry_run=True, max_seconds=1000, where="seconds < 0 OR speaker <> ''")
    assert all(difference.is_empty for difference in made.changes.values())
    made = publish_to(workspace, tmp_path / "set", dry_run=True, where=f"passage <> '{gone}'")
    assert made.changes["ssum"].removed == [gone]
    assert contents(tmp_path / "set") == before


def test_unreviewed_rows_of_test_groups_wait_and_a_set_without_reviews_has_train_only(tmp_path):
    workspace = a_set(tmp_path / "w", recordings=12, passages=1)
    made = publish_to(workspace, tmp_path / "set")
    assert {split for split, rows in made.plan.rows.items() if rows} == {"train"}
    waiting = made.plan.funnel["kept for test and validation until a person has reviewed them"]
    assert waiting == 12 - len(made.plan.rows["train"])
    assert any("no test split yet" in note for note in made.plan.notes)
    resolve(workspace)
    made = publish_to(workspace, tmp_path / "set")
    assert sum(map(len, made.plan.rows.values())) == 12
    assert made.plan.rows["test"]
    assert not made.changes["ssum"].moved


def test_a_reviewer_s_no_keeps_a_passage_out_and_a_reviewer_s_yes_outweighs_the_checks_no(tmp_path):
    workspace = a_set(tmp_path / "w", recordings=1, passages=3)
    with Store.create_or_open(workspace) as store:
        first, second, third = find_passages(store)
        connection_of(store).execute("UPDATE verdicts SET decision = 'reject', reasons = '[\"loop\"]'")
    resolve(workspace, [first])
    resolve(workspace, [second], accepted=False, reason="music")
    made = publish_to(workspace, tmp_path / "set", configurations=CONFIGURATIONS)
    assert load(tmp_path / "set", "ssum")["id"] == [first]
    assert made.plan.funnel["rejected by reviewers: music"] == 1
    assert made.plan.funnel["rejected by the checks: loop"] == 1
    assert set(load(tmp_path / "set", "raw")["id"]) == {first, second, third}


def test_a_withdrawn_recording_is_gone_from_the_next_version_and_from_then_on(tmp_path):
    workspace = a_set(tmp_path / "w", recordings=3)
    publish_to(workspace, tmp_path / "set", configurations=CONFIGURATIONS)
    (tmp_path / "out.txt").write_text("نشرة 1.mp3\tasked by phone\n", encoding="utf-8")
    publish_to(workspace, tmp_path / "set", withdrawn=tmp_path / "out.txt", configurations=CONFIGURATIONS)
    for name in ("ssum", "asr", "raw", "text_summ"):
        assert f"{1:016x}" not in load(tmp_path / "set", name)["recording"]
    changelog = (tmp_path / "set/CHANGELOG.md").read_text()
    assert "- 1 recording withdrawn" in changelog
    assert "phone" not in changelog
    assert "نشرة 1" not in changelog
    made = publish_to(workspace, tmp_path / "set", configurations=CONFIGURATIONS)  # the list is remembered
    assert not made.changed


def test_a_withdrawn_name_that_is_nobody_s_is_said_and_a_dry_run_remembers_nothing(tmp_path):
    workspace = a_set(tmp_path / "w", recordings=2)
    (tmp_path / "out.txt").write_text("# asked for in May\nنشرة 1.mp3 # by phone\nnashra.mp3\n", encoding="utf-8")
    made = publish_to(workspace, tmp_path / "set", withdrawn=tmp_path / "out.txt", dry_run=True)
    assert "1 withdrawn names are no recording's here: nashra.mp3. Is one misspelt?" in made.plan.notes
    assert made.plan.funnel["withdrawn"] == 2
    assert not (workspace.root / "withdrawn.txt").exists()


def test_annotators_are_pseudonyms_that_stay_the_same(tmp_path):
    workspace = a_set(tmp_path / "w", recordings=2)
    resolve(workspace)
    publish_to(workspace, tmp_path / "a", configurations=CONFIGURATIONS)
    publish_to(workspace, tmp_path / "b", configurations=CONFIGURATIONS)
    told = [json.loads(load(tmp_path / name, "raw")[0]["resolved"])["summary"]["annotators"] for name in "ab"]
    assert told[0] == told[1]
    assert told[0][0].startswith("annotator-")
    everything = b"".join(path.read_bytes() for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert b"amal@example.org" not in everything


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"min_verification": "any"}, r"nothing to publish: 4 not verified enough \(wanted: any\)"),
        ({"min_seconds": 60}, r"nothing to publish: 4 shorter than 60 s"),
        ({"licences": ("cc0-1.0",)}, r"nothing to publish: 4 licence cc-by-4\.0"),
        ({"where": "snr_db > 90"}, r"nothing to publish: 4 not asked for"),
        ({"where": "snr > 90"}, r"--where 'snr > 90': no such column"),
        ({"dialects": ("LEV", "EGYP", "GLF", "NOR", "MSA")}, r"have the dialect 'EGY'.*Did someone mean EGYP\?"),
    ],
)
def test_what_keeps_a_set_from_being_published_is_said_in_one_line(tmp_path, options, says):
    workspace = a_set(tmp_path / "w", recordings=2)
    with pytest.raises(AramegaError, match=says):
        publish_to(workspace, tmp_path / "set", **options)
    assert not (tmp_path / "set").exists()


def test_a_clip_that_is_gone_is_named_before_anything_is_written(tmp_path):
    workspace = a_set(tmp_path / "w", recordings=2)
    clip = next(workspace.root.glob("clips/**/*.flac"))
    clip.unlink()
    with pytest.raises(AramegaError, match=f"{clip.name}.*1 rows would have no audio"):
        publish_to(workspace, tmp_path / "set")
    assert not list(tmp_path.glob(".set*"))


def test_a_clip_that_is_not_the_one_that_was_built_is_named_and_nothing_appears(tmp_path):
    workspace = a_set(tmp_path / "w", recordings=2)
    clip = next(workspace.root.glob("clips/**/*.flac"))
    clip.write_bytes(clip.read_bytes()[:-1] + b"?")
    with pytest.raises(AramegaError, match=r"is not the clip that was built.*--where"):
        publish_to(workspace, tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_a_passage_without_a_summary_is_for_recognition_only(tmp_path):
    workspace = a_set(tmp_path / "w", recordings=2)
    with Store.open(workspace) as store:
        first = next(find_passages(store))
    resolve(workspace)
    resolve(workspace, [first], summary=said(""))
    made = publish_to(workspace, tmp_path / "set")
    assert first not in load(tmp_path / "set", "ssum")["id"]
    assert first in load(tmp_path / "set", "asr")["passage"]
    assert any("1 passages have no summary" in note for note in made.plan.notes)


def test_a_transcript_that_two_splits_share_fails_the_publication_and_drop_leaves_the_training_row_out(tmp_path):
    workspace = a_set(tmp_path / "w", recordings=12, passages=1)
    resolve(workspace)
    made = publish_to(workspace, tmp_path / "set", dry_run=True)
    test, train = made.plan.rows["test"][0].id, made.plan.rows["train"][0].id
    with Store.open(workspace) as store:
        words = load_drafted(store, test).draft.transcript.text
    resolve(workspace, [train], transcript=said(words))
    with pytest.raises(AramegaError, match=f"the splits leak.*{test}.*{train}.*--leaks drop"):
        publish_to(workspace, tmp_path / "set")
    made = publish_to(workspace, tmp_path / "set", leaks="drop")
    assert train not in load(tmp_path / "set", "ssum")["id"]
    assert test in load(tmp_path / "set", "ssum", "test")["id"]


def test_a_manifest_that_ties_published_recordings_together_later_is_a_leak_that_names_them(tmp_path):
    workspace = a_set(tmp_path / "w", recordings=12, passages=1)
    resolve(workspace)
    publish_to(workspace, tmp_path / "set")
    describe_recordings(workspace, lambda about: replace(about, speaker="the same voice"))
    with pytest.raises(AramegaError, match="speaker the same voice is in test"):
        publish_to(workspace, tmp_path / "set")


def test_a_folder_that_holds_something_else_is_refused_unless_forced(tmp_path):
    workspace = a_set(tmp_path / "w", recordings=2)
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "thesis.tex").write_text("mine")
    with pytest.raises(AramegaError, match=r"aramega did not publish.*--force"):
        publish_to(workspace, tmp_path / "set")
    assert (tmp_path / "set" / "thesis.tex").exists()
    publish_to(workspace, tmp_path / "set", force=True)
    assert not (tmp_path / "set" / "thesis.tex").exists()


def test_a_disk_that_would_fill_is_known_before_a_shard_is_written(tmp_path, monkeypatch):
    workspace = a_set(tmp_path / "w", recordings=2)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(AramegaError, match=r"GB are needed and 0\.0 GB are free"):
        publish_to(workspace, tmp_path / "set")
    assert not list(tmp_path.rglob("*.parquet.part"))


def test_two_who_publish_at_once_are_told_apart(tmp_path):
    workspace = a_set(tmp_path / "w", recordings=1)
    (workspace.root / "publish").mkdir()
    hold = "import fcntl,sys,time; f=open(sys.argv[1],'a'); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(workspace.root / "publish" / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "held\n"
    try:
        with pytest.raises(AramegaError, match="someone else is publishing"):
            publish_to(workspace, tmp_path / "set")
    finally:
        holder.communicate("")
