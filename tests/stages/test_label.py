"""Labelling: models name things as they like, the inventory is ours, and what nobody knows stays open."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aramega.backends.labelers import EMOTIONS, REGIONS, Names
from aramega.config import LabelConfig
from aramega.records import AramegaError, DraftedPassage, Metadata, Score
from aramega.stages.label import Label
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import load_drafted
from aramega.workspace import WorkspaceFolder
from tests.support.drafts import drafted_workspace

REGIONAL = ("MSA", "EGY", "LEV", "GLF", "NOR")


def test_countries_and_cities_count_for_their_region() -> None:
    names = Names(REGIONAL, REGIONS, ())
    assert names.scores({"SYR": 0.3, "LBN": 0.3, "EGY": 0.25, "BEI": 0.1, "klingon": 0.05}) == (
        Score("LEV", 0.7),
        Score("EGY", 0.25),
    )
    assert names.scores({"Iraqi": 1.0}) == (Score("GLF", 1.0),)


def test_a_finer_inventory_keeps_countries_apart() -> None:
    names = Names(("MSA", "SYR", "LBN", "LEV"), REGIONS, ())
    assert names.scores({"SYR": 0.6, "lbn": 0.3, "JOR": 0.1}) == (
        Score("SYR", 0.6),
        Score("LBN", 0.3),
        Score("LEV", 0.1),
    )


def test_a_curator_may_say_what_a_label_means() -> None:
    names = Names(("neutral", "happy"), EMOTIONS, ("LABEL_0=happy",))
    assert names.scores({"LABEL_0": 0.9, "neu": 0.1}) == (Score("happy", 0.9), Score("neutral", 0.1))
    assert names.unknown(["LABEL_0", "LABEL_1"]) == ["LABEL_1"]
    with pytest.raises(ValueError, match="pairs such as"):
        LabelConfig(names=("LABEL_0",))


@pytest.fixture(scope="module")
def drafted(tmp_path_factory: pytest.TempPathFactory) -> tuple[WorkspaceFolder, list[DraftedPassage]]:
    workspace = drafted_workspace(tmp_path_factory.mktemp("drafted"), recordings=1, passages=2)
    with Store.open(workspace) as store:
        return workspace, [load_drafted(store, passage) for passage in find_passages(store)]


def test_without_a_model_the_fields_stay_open_and_the_manifest_is_believed(
    drafted: tuple[WorkspaceFolder, list[DraftedPassage]],
) -> None:
    workspace, [item, _] = drafted
    stage = Label(LabelConfig(), workspace)
    stage.check()
    stage.prepare()
    [left_open] = stage.run(item)
    assert (left_open.dialect, left_open.dialect_by, left_open.emotion) == ((), "", ())
    told = replace(item, recording=replace(item.recording, metadata=Metadata(dialect="Egyptian")))
    [known] = stage.run(told)
    assert (known.dialect, known.dialect_by) == ((Score("EGY", 1.0),), "manifest")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wav2vec2 classifier of transformers' own code with random weights."""
    transformers: Any = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("classifier")
    config = transformers.Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8, 8),
        conv_kernel=(10, 8),
        conv_stride=(80, 8),
        num_feat_extract_layers=2,
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2,
        classifier_proj_size=8,
        id2label={0: "EGY", 1: "SYR", 2: "LABEL_2"},
        label2id={"EGY": 0, "SYR": 1, "LABEL_2": 2},
    )
    transformers.Wav2Vec2ForSequenceClassification(config).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder)
    return folder


def test_a_transformers_checkpoint_hears_the_dialect(
    drafted: tuple[WorkspaceFolder, list[DraftedPassage]], model: Path
) -> None:
    workspace, items = drafted
    stage = Label(LabelConfig(dialect_model=str(model), names=("LABEL_2=MSA",)), workspace)
    stage.check()
    stage.prepare()
    gone = replace(items[1], passage=replace(items[1].passage, clip="clips/gone.flac"))
    answers = list(stage.run_batch([*items, gone]))
    assert isinstance(answers[2], AramegaError)
    for answer in answers[:2]:
        assert not isinstance(answer, Exception)
        assert {s.label for s in answer[0].dialect} == {"EGY", "LEV", "MSA"}
        assert sum(s.score for s in answer[0].dialect) == pytest.approx(1, abs=1e-3)
        assert answer[0].dialect_by == f"transformers:{model.name}"
    assert stage.workers == 1


def test_a_model_that_is_none_or_speaks_of_other_things_is_named(
    tmp_path: Path, drafted: tuple[WorkspaceFolder, list[DraftedPassage]], model: Path
) -> None:
    workspace, _ = drafted
    with pytest.raises(AramegaError, match="not a transformers checkpoint"):
        Label(LabelConfig(emotion_model=str(tmp_path)), workspace).check()
    with pytest.raises(AramegaError, match="none of its labels"):
        Label(LabelConfig(emotion_model=str(model)), workspace).prepare()


def test_camel_tools_without_its_data_says_how_to_get_it(
    drafted: tuple[WorkspaceFolder, list[DraftedPassage]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("camel_tools")
    monkeypatch.setenv("CAMELTOOLS_DATA", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    stage = Label(LabelConfig(dialect_from_text=True), drafted[0])
    stage.check()
    with pytest.raises(AramegaError, match="camel_data -i dialectid-model6"):
        stage.prepare()
