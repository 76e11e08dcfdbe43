"""The config: one file, overrides by name, mistakes with the nearest right key, and TOML that reads back."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipes.config import RecipeConfig, differing_keys, known_keys, load_config, main, parse_config, to_toml
from recipes.errors import RecipeError

CONFIGS = Path(__file__).parents[2] / "recipes" / "configs"


def write(folder: Path, text: str) -> Path:
    path = folder / "run.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_override_is_read_as_toml_and_otherwise_as_a_string(tmp_path: Path) -> None:
    path = write(tmp_path, "[train]\nseed = 1\n")
    config = load_config(
        path, ["train.seed=7", "model.path=some/folder", 'log.trackers=["wandb"]', "lora.audio.enabled=true"]
    )
    assert (config.train.seed, config.model.path, config.log.trackers) == (7, "some/folder", ("wandb",))
    assert config.lora.audio.enabled
    assert "audio_tower" in config.lora.audio.modules  # the rest of the part keeps its defaults


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[train]\nsave_evry = 3\n", r"train\.save_evry: no such key\. Did you mean train\.save_every\?"),
        ("[lora.languge]\nenabled = true\n", r"Did you mean lora\.language\?"),
        (
            '[[data.datasets]]\npath = "x"\nlimt = 3\n',
            r"data\.datasets\.0\.limt: no such key\. Did you mean data\.datasets\.limit\?",
        ),
        ("[schedule]\nstep = 3\n", r"Did you mean schedule\.steps\?"),
        ('[train]\nmethod = "qlora"\n', r"train\.method: .*'lora' or 'full'.*got 'qlora'"),
        ("[train\n", "not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_the_way_out(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load_config(write(tmp_path, text))


def test_full_training_in_bfloat16_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"model\.dtype = \"float32\""):
        load_config(write(tmp_path, '[train]\nmethod = "full"\n'))


def test_the_effective_config_reads_back_as_it_was(tmp_path: Path) -> None:
    config = parse_config(
        {
            "model": {"path": "tiny", "system_prompt": 'أنت "مساعد"'},
            "data": {"datasets": [{"path": "a b", "splits": {"train": "tr"}, "columns": {"transcription": "نص"}}]},
            "schedule": {"kind": "tpc", "tpc": {"stages": [{"tasks": {"asr": 1.0}, "steps": 3}]}},
            "train": {"betas": [0.9, 0.99], "weight_decay": 1e-5},
        },
        source="test",
    )
    again = load_config(write(tmp_path, to_toml(config)))
    assert again == config
    assert differing_keys(again, config) == {}


def test_differing_keys_are_named_one_by_one() -> None:
    one = parse_config({"lora": {"rank": 8}, "data": {"datasets": [{"path": "a"}]}}, source="test")
    other = parse_config({"data": {"datasets": [{"path": "b"}]}}, source="test")
    assert differing_keys(one, other) == {"data.datasets.0.path": ("a", "b"), "lora.rank": (8, 32)}


EVERY_OPTION = CONFIGS / "every-option.toml"


@pytest.mark.parametrize("path", sorted({*CONFIGS.glob("*.toml")} - {EVERY_OPTION}), ids=lambda path: path.stem)
def test_every_config_that_comes_with_us_is_valid(path: Path) -> None:
    assert load_config(path).data.datasets


def test_the_file_of_every_option_is_made_from_the_models_and_says_their_defaults(capsys) -> None:
    main()
    assert capsys.readouterr().out == EVERY_OPTION.read_text(encoding="utf-8"), "python -m recipes.config makes it"
    assert load_config(EVERY_OPTION) == RecipeConfig()


def test_every_option_is_explained() -> None:
    text = EVERY_OPTION.read_text(encoding="utf-8")
    assert "None" not in text
    lines = text.splitlines()
    for key in known_keys(RecipeConfig):
        assert any(
            line.removeprefix("# ").startswith((f"{key.split('.')[-1]} = ", f"[{key}]", f"[[{key}]]")) for line in lines
        )


def test_the_several_gpus_run_is_the_one_gpu_run_shared_out() -> None:
    one, several = load_config(CONFIGS / "one-gpu.toml"), load_config(CONFIGS / "several-gpus.toml")
    assert set(differing_keys(one, several)) == {"train.accumulation"}


def test_a_config_of_an_older_version_still_loads(tmp_path: Path) -> None:
    """As a run folder of 0.1.0 holds it, every option written out."""
    older = load_config(Path(__file__).parent / "older" / "config.toml")
    assert older.lora.parts().keys() == {"language", "audio"}
    assert "audio_tower" in older.lora.audio.modules
    assert load_config(write(tmp_path, to_toml(older))) == older
