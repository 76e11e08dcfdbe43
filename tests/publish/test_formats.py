"""Other stacks read the same rows: webdataset through `datasets`' own reader, lhotse through lhotse, NeMo as JSON lines."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tarfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import datasets
import pytest
import soundfile

from aramega.config import LabelConfig, PublishConfig
from aramega.publish import PublishJob, publish
from aramega.publish.folder import FolderTarget
from aramega.records import AramegaError, Settled
from aramega.store import Store
from aramega.workspace import WorkspaceFolder
from tests.publish.sets import a_set, publish_to, resolve


def test_webdataset_tars_hold_each_passage_s_clip_and_words(tmp_path):
    workspace = a_set(tmp_path / "w", recordings=3)
    publish_to(workspace, tmp_path / "wds", format="webdataset", shard_mb=1)
    tars = sorted((tmp_path / "wds").glob("train-*.tar"))
    assert len(tars) > 1
    rows = datasets.load_dataset(
        "webdataset", data_files={"train": list(map(str, tars))}, split="train", streaming=True
    )
    rows = rows.cast_column("flac", datasets.Audio(decode=False))
    for row in rows:
        assert hashlib.sha256(row["flac"]["bytes"]).hexdigest() == row["json"]["clip"]
        assert row["json"]["summary"]
        assert row["json"]["dialect"] in ("MSA", "EGY", "LEV", "GLF", "NOR")


def test_lhotse_reads_the_splits_with_their_words_from_wherever_the_folder_was_moved(tmp_path):
    from lhotse import CutSet, load_manifest

    workspace = a_set(tmp_path / "w", recordings=2)
    publish_to(workspace, tmp_path / "set", format="lhotse")
    (tmp_path / "set").rename(tmp_path / "moved")
    folder = tmp_path / "moved"
    recordings = load_manifest(folder / "train_recordings.jsonl.gz").with_path_prefix(folder)
    cuts = CutSet.from_manifests(recordings, load_manifest(folder / "train_supervisions.jsonl.gz"))
    for cut in cuts:
        assert cut.load_audio().shape[1] == cut.num_samples
        assert all(supervision.text for supervision in cut.supervisions)
    summaries = load_manifest(folder / "train_summaries.jsonl.gz")
    assert all(one.custom["summary"] for one in summaries)


def test_nemo_s_manifests_name_clips_beside_them_and_say_what_was_settled(tmp_path):
    workspace = a_set(tmp_path / "w", recordings=2)
    resolve(workspace)
    publish_to(workspace, tmp_path / "set", format="nemo")
    for name in ("train_segments.json", "train_passages.json"):
        lines = [json.loads(line) for line in (tmp_path / "set" / name).read_text(encoding="utf-8").splitlines()]
        assert lines
        for line in lines:
            clip = tmp_path / "set" / line["audio_filepath"]
            assert soundfile.info(clip).duration >= line["offset"] + line["duration"] - 1e-3
            assert line["text"]
            assert ("summary" in line) == (name == "train_passages.json")


@pytest.mark.parametrize("format", ["webdataset", "lhotse", "nemo"])
def test_the_same_workspace_gives_the_same_bytes_in_every_format_and_again_changes_nothing(tmp_path, format):
    workspace = a_set(tmp_path / "w", recordings=2)
    publish_to(workspace, tmp_path / "a", format=format)
    publish_to(workspace, tmp_path / "b", format=format)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert not publish_to(workspace, tmp_path / "a", format=format).changed


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_corrected_transcript_that_lies_on_no_segments_is_still_the_passage_s(tmp_path):
    workspace = a_set(tmp_path / "w", recordings=1, passages=1)
    resolve(workspace, transcript=Settled("نص مصحح", verified=True), lines=())
    publish_to(workspace, tmp_path / "set", format="nemo")
    assert not (tmp_path / "set/train_segments.json").read_text()
    assert json.loads((tmp_path / "set/train_passages.json").read_text())["text"] == "نص مصحح"


@dataclass(frozen=True)
class ReviewedMeanwhile(FolderTarget):
    """A folder; while the version is made for it, people say something else and a build measures segments anew."""

    workspace: WorkspaceFolder | None = None

    def staging(self, fingerprint: str) -> Path:
        assert self.workspace
        resolve(self.workspace, transcript=Settled("كلام آخر"), lines=())
        with closing(sqlite3.connect(self.workspace.database)) as database, database:
            database.execute("UPDATE segments SET snr_db = 99")
        return super().staging(fingerprint)


@pytest.mark.parametrize("format", ["webdataset", "lhotse", "nemo"])
def test_what_changes_in_the_workspace_while_a_set_is_written_is_not_in_it(tmp_path, format):
    workspace = a_set(tmp_path / "w", recordings=2)
    publish_to(workspace, tmp_path / "before", format=format)
    target = ReviewedMeanwhile(tmp_path / "meanwhile", workspace=workspace)
    with Store.open(workspace) as store:
        publish(store, workspace, PublishJob(PublishConfig(), LabelConfig(), target, format=format))
    assert contents(tmp_path / "meanwhile") == contents(tmp_path / "before")


def test_an_unknown_format_is_named_with_the_nearest(tmp_path):
    with pytest.raises(AramegaError, match="Did you mean webdataset"):
        publish_to(a_set(tmp_path / "w", recordings=1), tmp_path / "set", format="webdatasets")


def test_tars_have_no_times_and_no_owners(tmp_path):
    publish_to(a_set(tmp_path / "w", recordings=1), tmp_path / "set", format="webdataset")
    with tarfile.open(next((tmp_path / "set").glob("*.tar"))) as tar:
        assert {(member.mtime, member.uid, member.uname) for member in tar} == {(0, 0, "")}
