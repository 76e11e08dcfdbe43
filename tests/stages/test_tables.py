"""Each stage says where its results are kept, and its records are kept there."""

from __future__ import annotations

from pathlib import Path

from aramega.config import Config, change_config
from aramega.stages.ours import make_stages
from aramega.store.rows import TABLES
from aramega.workspace import WorkspaceFolder


def test_the_table_that_a_stage_declares_is_that_of_its_records(tmp_path: Path) -> None:
    asked = change_config(Config(), {"transcribe.model": "demo", "overview.enabled": True})
    stages = make_stages(asked, WorkspaceFolder(tmp_path))
    for stage in stages:
        assert stage.table == TABLES[stage.makes[-1]].name
