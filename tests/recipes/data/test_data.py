"""Data: every kind of dataset becomes examples, and what can't serve says so."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path

import datasets
import numpy as np
import pytest
import soundfile

from recipes.data import DataConfig, DatasetConfig, load_examples
from recipes.data.adapters import ADAPTERS
from recipes.data.load import load_split
from recipes.data.tables import split_of
from recipes.errors import RecipeError


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    datasets.disable_progress_bars()


def sound(seconds=0.5, rate=16_000, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, (round(seconds * rate),)).astype(np.float32)


def flac(seconds=0.5, rate=16_000, seed=0):
    file = io.BytesIO()
    soundfile.write(file, sound(seconds, rate, seed), rate, format="FLAC")
    return file.getvalue()


def write_sound(path, seconds=0.5, seed=0, rate=16_000):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound(seconds, rate, seed), rate)
    return path


def published(folder, configuration, rows, split="train"):
    """A folder as `aramega publish --to DIR` leaves one: parquet with embedded audio, configurations in the card."""
    data = [{**row, "audio": {"bytes": row["audio"], "path": None}} if "audio" in row else row for row in rows]
    table = datasets.Dataset.from_list(data)
    if "audio" in rows[0]:
        table = table.cast_column("audio", datasets.Audio(16_000, decode=False))
    if "dialect" in rows[0]:
        table = table.cast_column("dialect", datasets.ClassLabel(names=["EGY", "LEV", "TUNISIA"]))
    (folder / configuration).mkdir(parents=True, exist_ok=True)
    table.to_parquet(str(folder / configuration / f"{split}-00000-of-00001.parquet"))
    names = sorted(path.name for path in folder.iterdir() if path.is_dir())
    lines = "".join(f"- config_name: {n}\n  data_files:\n  - split: {split}\n    path: {n}/{split}-*\n" for n in names)
    (folder / "README.md").write_text(f"---\nconfigs:\n{lines}---\n", encoding="utf-8")
    return str(folder)


def passages(count=4, **more):
    return [
        {
            "id": f"p{i}",
            "audio": flac(seconds=0.4 + 0.1 * i, seed=i),
            "transcription": f"نص المقطع رقم {i}",
            "summary": f"ملخص {i}",
            "dialect": ["EGY", "LEV"][i % 2],
            **more,
        }
        for i in range(count)
    ]


def config(*sets, **more):
    return DataConfig(datasets=tuple(DatasetConfig(**one) for one in sets), **more)


def test_a_row_serves_every_task_its_columns_allow(tmp_path):
    path = published(tmp_path / "set", "ssum", passages())
    examples = load_examples(config({"path": path, "configuration": "ssum"}), "train")
    assert {e.task for e in examples} == {"asr", "ssum", "text_summ", "dialect"}
    assert len(examples) == 16
    assert {e.label for e in examples if e.task == "dialect"} == {"EGY", "LEV"}
    assert {e.modality for e in examples if e.task == "text_summ"} == {"text"}
    assert examples.notes == ()


def test_loading_an_example_gives_16_khz_mono_audio_and_its_columns(tmp_path):
    rows = passages(1)
    stereo = io.BytesIO()
    soundfile.write(stereo, np.stack([sound(0.5, 44_100)] * 2, axis=1), 44_100, format="WAV")
    rows[0]["audio"] = stereo.getvalue()
    path = published(tmp_path / "set", "asr", rows)
    examples = load_examples(config({"path": path, "configuration": "asr", "tasks": ["asr"]}), "train")
    one = examples.load(0)
    assert one.audio.dtype == np.float32
    assert one.audio.shape == (8000,)
    assert (one.columns["id"], one.columns["dialect"]) == ("p0", "EGY")
    assert one.document == ""
    assert examples[0].seconds == pytest.approx(0.5)
    assert examples.name(0) == "asr/set/asr/p0"


def test_a_text_example_carries_its_transcript_and_no_audio(tmp_path):
    path = published(tmp_path / "set", "text_summ", [{"id": "1", "transcription": "نص", "summary": "ملخص"}])
    examples = load_examples(config({"path": path, "configuration": "text_summ"}), "train")
    one = examples.load(0)
    assert (one.audio, one.document, one.example.clip) == (None, "نص", "")
    assert examples.target(0) == "ملخص"


def test_the_clip_key_is_the_audios_content_wherever_it_lies(tmp_path):
    first = published(tmp_path / "a", "asr", passages())
    second = published(tmp_path / "b", "dialect", passages())
    sets = [{"path": p, "configuration": c} for p, c in ((first, "asr"), (second, "dialect"))]
    examples = load_examples(config(*sets, tasks=("asr", "dialect")), "train")
    assert len(examples) == 16
    assert len(examples.clips()) == 4


def test_a_schedule_sees_numbers_only(tmp_path):
    path = published(tmp_path / "set", "ssum", passages())
    examples = load_examples(config({"path": path, "configuration": "ssum"}), "train")
    seen = []

    def count_tokens(some, texts):
        seen.extend(texts)
        return [round(25 * e.seconds) + len(t) for e, t in zip(some, texts, strict=True)]

    table = examples.schedule_table(count_tokens, batch=3)
    assert len(table) == len(examples) == len(seen)
    assert [table.tasks[i] for i in table.task] == [e.task for e in examples]
    assert [table.labels[i] for i in table.label] == [e.label for e in examples]
    text_only = [i for i, e in enumerate(examples) if e.task == "text_summ"]
    assert (table.modality[text_only] == 1).all()
    assert all("نص المقطع" in seen[i] and "ملخص" in seen[i] for i in text_only)
    assert table.tokens.dtype == np.int32


def test_text_in_place_of_speech_and_foreign_speech_are_modalities_of_the_same_tasks(tmp_path):
    path = published(tmp_path / "set", "dialect", passages())
    written = {"path": path, "configuration": "dialect", "tasks": ["dialect"], "input": "text"}
    foreign = {"path": path, "configuration": "dialect", "tasks": ["asr"], "language": "en"}
    examples = load_examples(config(written, foreign), "train")
    assert {(e.task, e.modality) for e in examples} == {("dialect", "text"), ("asr", "foreign")}
    assert examples.load(0).document.startswith("نص المقطع")
    assert examples.name(0).startswith("dialect+text/")


def test_foreign_speech_and_text_are_asked_about_in_the_language_of_their_answers(tmp_path):
    path = published(tmp_path / "set", "ssum", passages())
    english = {"path": path, "configuration": "ssum", "tasks": ["asr", "ssum", "text_summ"], "language": "en-US"}
    for more, languages in (({}, {"en"}), ({"answer_language": "ar"}, {"en", "ar"})):
        examples = load_examples(config({**english, **more}), "train")
        assert {example.language for example in examples} == languages
        for i, example in enumerate(examples):
            prompt = examples.tasks[example.task].prompt(examples.load(i), random.Random(i)).split("\n\n")[0]
            if example.language == "en":
                assert prompt.isascii()
                assert "Arabic" not in prompt


def test_asr_from_text_is_refused_because_it_would_be_copying(tmp_path):
    path = published(tmp_path / "set", "asr", passages())
    with pytest.raises(RecipeError, match="asr needs column 'audio'"):
        load_examples(config({"path": path, "configuration": "asr", "tasks": ["asr"], "input": "text"}), "train")


def test_rows_that_cannot_serve_are_left_out_and_counted(tmp_path):
    rows = passages(5)
    rows[0]["summary"] = "  "
    rows[1]["audio"] = flac(seconds=2.0)
    path = published(tmp_path / "set", "ssum", rows)
    wanted = config({"path": path, "configuration": "ssum", "tasks": ["ssum"]}, max_seconds=1.5)
    examples = load_examples(wanted, "train")
    assert len(examples) == 3
    assert examples.notes == ("set/ssum, ssum: 3 examples; left out: 1 empty summary, 1 longer than 1.5 s.",)


def test_long_clips_can_be_an_error_that_names_the_row(tmp_path):
    path = published(tmp_path / "set", "asr", passages(2))
    wanted = config({"path": path, "configuration": "asr"}, max_seconds=0.45, long_clips="error", tasks=("asr",))
    with pytest.raises(RecipeError, match=r"set/asr, row p1: 0\.5 s, longer than \[data\] max_seconds = 0\.45"):
        load_examples(wanted, "train")


def test_passages_as_long_as_the_package_makes_them_are_heard_whole_by_default(tmp_path):
    rows = [{**passages(1)[0], "id": "long", "audio": flac(seconds=120.0)}]
    examples = load_examples(
        config({"path": published(tmp_path / "set", "ssum", rows), "configuration": "ssum"}), "train"
    )
    assert examples.notes == ()
    assert {e.seconds for e in examples if e.modality == "speech"} == {120.0}


def test_long_clips_can_be_cut_for_what_their_beginning_still_answers(tmp_path):
    """A summary or a label still holds; a transcript would go on after the sound, so such rows are left out."""
    path = published(tmp_path / "set", "ssum", passages(3))  # 0.4, 0.5 and 0.6 s
    wanted = config({"path": path, "configuration": "ssum"}, max_seconds=0.45, long_clips="cut")
    examples = load_examples(wanted, "train")
    lengths = {(e.task, e.row): len(examples.load(i).audio) for i, e in enumerate(examples) if e.modality == "speech"}
    assert lengths == {("asr", 0): 6400} | {
        (t, r): min(7200, 6400 + 1600 * r) for t in ("ssum", "dialect") for r in range(3)
    }
    assert {e.seconds for e in examples if e.task == "ssum"} == {0.4, 0.45}
    assert examples.notes == (
        "set/ssum, asr: 1 examples; left out: 2 longer than 0.45 s.",
        "set/ssum, ssum: 3 examples; 2 cut to their first 0.45 s.",
        "set/ssum, dialect: 3 examples; 2 cut to their first 0.45 s.",
    )
    assert len(examples.clips()) == 3  # the whole of one, the beginnings of two


def test_only_verified_rows_on_request(tmp_path):
    rows = [{**row, "verified_summary": i < 3} for i, row in enumerate(passages(4))]
    path = published(tmp_path / "set", "ssum", rows)
    wanted = {"path": path, "configuration": "ssum", "tasks": ["ssum"], "verified_only": True}
    examples = load_examples(config(wanted), "train")
    assert len(examples) == 3
    assert "1 not verified" in examples.notes[0]


def test_a_missing_column_is_named_with_what_there_is_and_how_to_map_it(tmp_path):
    path = published(tmp_path / "set", "asr", passages())
    with pytest.raises(RecipeError, match=r"emotion needs column 'emotion'.*has: .*summary.*columns = \{emotion"):
        load_examples(config({"path": path, "configuration": "asr", "tasks": ["emotion"]}), "train")


def test_a_column_under_another_name_is_mapped(tmp_path):
    rows = [{"id": "1", "audio": flac(), "sentence": "نص"}]
    path = published(tmp_path / "set", "asr", rows)
    mapped = {"path": path, "configuration": "asr", "columns": {"transcription": "sentence"}}
    assert load_examples(config(mapped), "train").target(0) == "نص"
    wrong = {**mapped, "columns": {"transcription": "sentense"}}
    with pytest.raises(RecipeError, match="no column 'sentense' to read transcription from"):
        load_examples(config(wrong), "train")


def test_an_unknown_label_is_named_with_its_count_and_the_nearest_known_one(tmp_path):
    rows = passages(3)
    rows[2]["dialect"] = "TUNISIA"
    path = published(tmp_path / "set", "dialect", rows)
    wanted = {"path": path, "configuration": "dialect", "tasks": ["dialect"]}
    assert {e.label for e in load_examples(config(wanted), "train")} == {"EGY", "LEV", "NOR"}
    levels = config({**wanted, "tasks": ["emotion"], "columns": {"emotion": "dialect"}}, emotions="levels")
    with pytest.raises(RecipeError, match=r"1 rows have emotion 'EGY'.*low, normal, high.*labels = "):
        load_examples(levels, "train")


def test_labels_are_translated_and_an_empty_translation_leaves_rows_out(tmp_path):
    path = published(tmp_path / "set", "dialect", passages(4))
    wanted = {"path": path, "configuration": "dialect", "tasks": ["dialect"], "labels": {"EGY": "GLF", "LEV": ""}}
    examples = load_examples(config(wanted), "train")
    assert {e.label for e in examples} == {"GLF"}
    assert "2 empty dialect" in examples.notes[0]


def test_nothing_left_for_a_task_is_an_error_that_says_why(tmp_path):
    rows = [{**row, "summary": ""} for row in passages(2)]
    path = published(tmp_path / "set", "ssum", rows)
    with pytest.raises(RecipeError, match=r"no row of its 2 can serve ssum \(2 empty summary\)"):
        load_examples(config({"path": path, "configuration": "ssum", "tasks": ["ssum"]}), "train")


def test_a_column_that_is_empty_throughout_is_a_note_unless_its_task_was_asked_for(tmp_path):
    rows = [{**row, "emotion": ""} for row in passages(2)]
    path = published(tmp_path / "set", "asr", rows)
    examples = load_examples(config({"path": path, "configuration": "asr"}, tasks=("asr", "emotion")), "train")
    assert {e.task for e in examples} == {"asr"}
    assert examples.notes == ("set/asr, emotion: 0 examples; left out: 2 empty emotion.",)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"configuration": "sum"}, "can't load configuration 'sum'"),
        ({"configuration": "ssum", "splits": {"train": "training"}}, "split 'training'"),
        ({"format": "publishd"}, "Did you mean published"),
        ({"configuration": "ssum", "tasks": ["sum"]}, "task 'sum' is not among"),
    ],
)
def test_what_the_configuration_gets_wrong_is_said(tmp_path, wrong, message):
    path = published(tmp_path / "set", "ssum", passages())
    with pytest.raises(RecipeError, match=message):
        load_examples(config({"path": path, **wrong}), "train")


def sets_for_training_only(folder):
    """One of every kind that can lack a split, as (what the config says, how its name begins)."""
    published(folder / "parquet", "ssum", passages())
    datasets.DatasetDict(
        {"train": datasets.Dataset.from_list([{"transcription": "نص", "summary": "ملخص"}])}
    ).save_to_disk(str(folder / "saved"))
    write_sound(folder / "tsv" / "clips" / "a.mp3")
    (folder / "tsv" / "train.tsv").write_text("client_id\tpath\tsentence\ns1\ta.mp3\tنعم\n", encoding="utf-8")
    write_sound(folder / "lines" / "a.wav")
    (folder / "lines" / "train.jsonl").write_text('{"audio_filepath": "a.wav", "text": "نص"}\n', encoding="utf-8")
    write_sound(folder / "index" / "a.wav")
    (folder / "index" / "index.csv").write_text("path,transcription,split\na.wav,نص,train\n", encoding="utf-8")
    write_sound(folder / "country" / "train" / "EGY" / "videoid0000_00.wav")
    kinds = {"parquet": "published", "saved": "published", "tsv": "common-voice", "lines": "manifest"}
    kinds |= {"index": "index-csv", "country": "adi17"}
    return [
        {"path": str(folder / name), "format": kind, **({"configuration": "ssum"} if name == "parquet" else {})}
        for name, kind in kinds.items()
    ]


def test_a_split_that_a_dataset_lacks_is_empty_with_one_note(tmp_path):
    sets = sets_for_training_only(tmp_path)
    for one in sets:
        assert len(load_examples(config(one), "train")) >= 1
        empty = load_split(config(one), "validation")
        assert len(empty) == 0
        (note,) = empty.notes
        assert note.startswith(f"{Path(one['path']).name}")
        assert "has no validation split" in note
        with pytest.raises(RecipeError, match=r"\[data\] has no validation split\."):
            load_examples(config(one), "validation")


def test_of_several_datasets_those_with_a_split_give_its_examples(tmp_path):
    sets = sets_for_training_only(tmp_path)
    sets.insert(1, {"path": published(tmp_path / "whole", "asr", passages(), "validation"), "configuration": "asr"})
    found = load_examples(config(*sets, tasks=("asr",)), "validation")
    assert len(found) == 4
    assert len(found.notes) == len(sets) - 1
    assert found.name(0) == "asr/whole/asr/p0"
    assert found.load(0).columns["transcription"] == "نص المقطع رقم 0"


def test_a_split_that_the_configuration_names_must_be_there(tmp_path):
    path = published(tmp_path / "set", "ssum", passages())
    wanted = {"path": path, "configuration": "ssum", "splits": {"validation": "dev"}}
    assert len(load_split(config(wanted), "train")) == 16
    with pytest.raises(RecipeError, match="split 'dev'"):
        load_split(config(wanted), "validation")


def test_unreadable_audio_names_the_dataset(tmp_path):
    path = published(tmp_path / "set", "asr", [{"id": "1", "audio": b"no audio", "transcription": "نص"}])
    with pytest.raises(RecipeError, match="set/asr: audio can't be read"):
        load_examples(config({"path": path, "configuration": "asr"}), "train")


def test_no_datasets_at_all_is_said():
    with pytest.raises(RecipeError, match="names no datasets"):
        load_examples(DataConfig(), "train")


def test_a_saved_folder_reads_like_a_published_one(tmp_path):
    rows = datasets.Dataset.from_list([{"transcription": "نص", "summary": "ملخص"}])
    datasets.DatasetDict({"train": rows}).save_to_disk(str(tmp_path / "saved"))
    assert len(load_examples(config({"path": str(tmp_path / "saved")}), "train")) == 1


def test_common_voice_as_it_unpacks(tmp_path):
    write_sound(tmp_path / "clips" / "a.mp3")
    (tmp_path / "dev.tsv").write_text('client_id\tpath\tsentence\ns1\ta.mp3\tقال "نعم"\n', encoding="utf-8")
    examples = load_examples(config({"path": str(tmp_path), "format": "common-voice"}), "validation")
    assert examples.target(0) == 'قال "نعم"'
    assert examples.load(0).columns["speaker"] == "s1"
    assert len(examples.load(0).audio) > 0
    with pytest.raises(RecipeError, match=r"no train\.tsv.*dev\.tsv"):
        load_examples(config({"path": str(tmp_path), "format": "common-voice"}), "train")


def test_fleurs_as_it_unpacks(tmp_path):
    write_sound(tmp_path / "audio" / "test" / "7.wav")
    (tmp_path / "test.tsv").write_text("1\t7.wav\tNaṣ.\tنص\tن ص\t8000\tMALE\n", encoding="utf-8")
    examples = load_examples(config({"path": str(tmp_path), "format": "fleurs"}), "test")
    assert examples.target(0) == "نص"
    assert len(examples.load(0).audio) == 8000


def test_a_manifest_cuts_segments_out_of_long_files(tmp_path):
    long = write_sound(tmp_path / "wav" / "news.wav", seconds=4.0)
    lines = [
        {"audio_filepath": "wav/news.wav", "offset": 1.0, "duration": 0.5, "text": "الأول"},
        {"audio_filepath": "wav/news.wav", "offset": 2.0, "duration": 1.0, "text": "الثاني"},
    ]
    manifest = tmp_path / "train.jsonl"
    manifest.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    examples = load_examples(config({"path": str(tmp_path), "format": "manifest"}), "train")
    assert [e.seconds for e in examples] == [0.5, 1.0]
    assert len(examples.clips()) == 2
    whole, _ = soundfile.read(long, dtype="float32")
    np.testing.assert_array_equal(examples.load(1).audio, whole[32_000:48_000])


def test_a_manifest_with_a_broken_line_names_it(tmp_path):
    (tmp_path / "train.jsonl").write_text('{"text": "نص"}\n{oops\n', encoding="utf-8")
    with pytest.raises(RecipeError, match=r"train\.jsonl, line 2: not a JSON object"):
        load_examples(config({"path": str(tmp_path / "train.jsonl"), "format": "manifest"}), "train")


def test_adi17_reads_country_codes_from_folders(tmp_path):
    for i, country in enumerate(("EGY", "KSA", "MOR", "SYR")):
        write_sound(tmp_path / "train" / country / f"videoid{i:04d}_00.wav", seed=i)
    examples = load_examples(config({"path": str(tmp_path), "format": "adi17"}), "train")
    assert sorted(e.label for e in examples) == ["EGY", "GLF", "LEV", "NOR"]
    countries = load_examples(config({"path": str(tmp_path), "format": "adi17"}, dialects="countries"), "train")
    assert sorted(e.label for e in countries) == ["EGY", "KSA", "MOR", "SYR"]


def test_baved_reads_levels_words_and_speakers_from_its_file_names(tmp_path):
    for speaker in range(20):
        for level in range(3):
            write_sound(tmp_path / f"{speaker}-m-21-4-{level}-{speaker * 3 + level}.wav", seed=speaker * 3 + level)
    wanted = config({"path": str(tmp_path), "format": "baved"}, emotions="levels", tasks=("asr", "emotion"))
    sides = {split: load_examples(wanted, split) for split in ("train", "validation", "test")}
    speakers = {split: {side.text(i).columns["speaker"] for i in range(len(side))} for split, side in sides.items()}
    assert sum(map(len, speakers.values())) == len(set().union(*speakers.values())) == 20
    assert {e.label for e in sides["train"] if e.task == "emotion"} == {"low", "normal", "high"}
    assert sides["train"].target(0) == "رائع"


def test_ksu_emotions_and_other_sets_are_labelled_by_file_name(tmp_path):
    write_sound(tmp_path / "ksu" / "D01E05P0S1T01.wav")
    wanted = {"path": str(tmp_path / "ksu"), "format": "ksu-emotions", "shares": (1, 0, 0)}
    assert load_examples(config(wanted), "train")[0].label == "angry"
    write_sound(tmp_path / "own" / "s1_happy.wav")
    own = {
        "path": str(tmp_path / "own"),
        "format": "file-names",
        "shares": (1, 0, 0),
        "filename_pattern": r"(?P<speaker>s\d)_(?P<emotion>\w+)",
    }
    assert load_examples(config(own), "train")[0].label == "happy"
    with pytest.raises(RecipeError, match=r"none of its 1 audio files is named like .*first: s1_happy\.wav"):
        load_examples(config({**own, "filename_pattern": "x"}), "train")


def test_an_index_names_files_columns_and_splits(tmp_path):
    write_sound(tmp_path / "clips" / "a.wav")
    with (tmp_path / "index.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "text", "keyword", "speaker", "split", "seconds"])
        table.writerow(["clips/a.wav", "صفر", "zero", "s1", "train", "0.5"])
    examples = load_examples(config({"path": str(tmp_path), "format": "speech-commands"}), "train")
    assert (examples.target(0), examples[0].seconds) == ("صفر", 0.5)
    with pytest.raises(RecipeError, match="no rows in this split"):
        load_examples(config({"path": str(tmp_path), "format": "speech-commands"}), "test")


def test_generative_examples_are_banded_by_length_or_by_source(tmp_path):
    path = published(tmp_path / "set", "asr", passages(3))
    one = {"path": path, "configuration": "asr", "tasks": ["asr"]}
    banded = load_examples(config(one, length_bands=(0.45, 0.55)), "train")
    assert [e.label for e in banded] == ["0-0.45s", "0.45-0.55s", "0.55s+"]
    assert {e.label for e in load_examples(config(one, generative_label="source"), "train")} == {"set/asr"}


def test_a_limit_draws_rows_at_random_and_a_larger_one_holds_the_smaller(tmp_path):
    rows = [{**passages(1)[0], "id": f"p{i}", "dialect": ["EGY", "LEV"][i >= 10]} for i in range(20)]
    wanted = {"path": published(tmp_path / "set", "dialect", rows), "configuration": "dialect", "tasks": ["dialect"]}
    drawn = {}
    for limit in (8, 12):
        examples = load_examples(config({**wanted, "limit": limit}), "train")
        drawn[limit] = [examples.name(i) for i in range(len(examples))]
        assert {e.label for e in examples} == {"EGY", "LEV"}
    assert len(drawn[8]) == 8
    assert set(drawn[8]) < set(drawn[12])
    again = load_examples(config({**wanted, "limit": 8, "split_seed": 1}), "train")
    assert {again.name(i) for i in range(8)} != set(drawn[8])


def test_every_example_has_a_name_of_its_own(tmp_path):
    """Files of one name in two folders, one folder's name twice, the same rows read and heard."""
    for i, folder in enumerate(("EGY", "SYR")):
        write_sound(tmp_path / "one" / "adi" / "train" / folder / "clip.wav", seed=i)
    write_sound(tmp_path / "two" / "adi" / "train" / "EGY" / "clip.wav", seed=7)
    folders = [{"path": str(tmp_path / place / "adi"), "format": "adi17"} for place in ("one", "two")]
    path = published(tmp_path / "set", "dialect", [{**row, "id": "same"} for row in passages(2)])
    heard = {"path": path, "configuration": "dialect", "tasks": ["dialect"]}
    examples = load_examples(config(*folders, heard, {**heard, "input": "text"}, tasks=("dialect",)), "train")
    assert [examples.name(i) for i in range(len(examples))] == [
        "dialect/adi/clip",
        "dialect/adi/clip#2",
        "dialect/adi#2/clip",
        "dialect/set/dialect/same",
        "dialect/set/dialect/same#2",
        "dialect+text/set/dialect/same",
        "dialect+text/set/dialect/same#2",
    ]


def test_splits_by_hash_keep_old_groups_where_they_were():
    groups = [f"speaker {i}" for i in range(500)]
    shares = (0.8, 0.1, 0.1)
    sides = [split_of(group, shares=shares) for group in groups]
    assert [split_of(group, shares=shares) for group in groups] == sides
    assert 0.7 < sides.count("train") / 500 < 0.9
    assert {split_of(group, shares=(0, 0, 1)) for group in groups} == {"test"}


def test_every_adapter_is_in_the_modules_table():
    from recipes.data import adapters

    assert all(f"| `{name}` |" in adapters.__doc__ for name in ADAPTERS)
