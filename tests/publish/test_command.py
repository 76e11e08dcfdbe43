"""The commands, as a curator runs them."""

from __future__ import annotations

import json
import random
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.publish.sets import a_set, resolve
from tests.support.cli import Run, run_cli
from tests.support.kills import forked
from tests.support.loopback_hub import Hub


def test_publish_into_a_folder_verify_and_diff(aramega: Run, tmp_path: Path) -> None:
    workspace = a_set(tmp_path / "w", recordings=3)
    first, *_ = resolve(workspace)
    told = aramega("publish", workspace.root, "--to", tmp_path / "one", "--verify", "--tag", "v1")
    assert told.code == 0, told.err
    assert "ssum: 6 added" in told.out
    assert "verified: 36 rows as they were meant, 30 clips decoded" in told.out
    told = aramega(
        "publish", workspace.root, "--to", tmp_path / "two", "--where", f"passage <> '{first}'", "--tag", "v2"
    )
    assert told.code == 0, told.err
    told = aramega("diff", tmp_path / "one", tmp_path / "two", "--ids")
    assert "ssum: 1 removed" in told.out
    assert f"ssum  {first}  removed" in told.out
    changes = json.loads(aramega("diff", tmp_path / "one", tmp_path / "two", "--json").out)
    assert changes["ssum"]["removed"] == [first]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "say where to: a folder (--out DIR) or a repository (--repo ORG/NAME), one of the two"),
        (("--to", "x", "--repo", "a/b"), "one of the two"),
        (("--to", "x", "--set", "publish.min_verification=much"), "`publish.min_verification` is 'much'"),
        (("--to", "x", "--configurations", "ssum,asrr"), "no configuration is called 'asrr'"),
        (("--to", "x", "--configurations", "dialect"), "dialect is a view of ssum's files"),
        (("--to", "x", "--withdrawn", "none.txt"), "no such file. --withdrawn takes a list"),
        (("--repo", "a/b", "--format", "nemo"), "goes into a folder (--to)"),
    ],
)
def test_a_mistake_is_one_line(aramega: Run, tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    workspace = a_set(tmp_path / "w", recordings=1, passages=1)
    told = aramega("publish", workspace.root, *arguments, cwd=tmp_path)
    assert told.code == 2
    assert says in told.err
    assert len(told.err.strip().splitlines()) == 1
    assert not (tmp_path / "x").exists()


def test_what_may_be_chosen_is_listed_before_any_work(aramega: Run, tmp_path: Path) -> None:
    refused = aramega("publish", tmp_path, "--to", "x", "--format", "lhots")
    assert refused.code == 2
    assert "'lhots' is not one of 'parquet', 'webdataset', 'lhotse', 'nemo'" in " ".join(refused.err.split())


def test_diff_of_what_is_no_version_says_so(aramega: Run, tmp_path: Path) -> None:
    told = aramega("diff", tmp_path, tmp_path)
    assert told.code == 2
    assert "no version that `aramega publish` made" in told.err


def test_a_workspace_without_drafts_has_nothing_to_publish(aramega: Run, tmp_path: Path) -> None:
    workspace = a_set(tmp_path / "w", recordings=0)
    told = aramega("publish", workspace.root, "--to", tmp_path / "set")
    assert told.code == 2
    assert "nothing to publish: the workspace has no drafted passages yet" in told.err


def contents(folder: Path) -> dict[str, bytes]:
    """Every file a reader can see, with the folder's name, which the quick start repeats, left out."""
    files = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return {name: content.replace(str(folder).encode(), b"DIR") for name, content in files.items()}


def kill_until_done(arguments: Sequence[str | Path], kills: int) -> int:
    """Run the command, kill it after one of its first shards, as often as asked; then let it finish. How often it was
    killed before it had ended by itself."""
    rng, killed = random.Random(1), 0
    for _ in range(kills):
        with forked(*arguments) as (process, errors):
            # A line says that a shard is written or sent.
            lines = [errors.readline() for _ in range(rng.randint(1, 3))]
            process.kill()
            process.join()
            killed += process.exitcode == -signal.SIGKILL and all(lines)
    done = run_cli(*arguments)
    assert done.code == 0, done.err
    return killed


def test_a_folder_is_the_same_however_often_its_making_was_killed(tmp_path: Path) -> None:
    workspace = a_set(tmp_path / "w", recordings=8)
    options = ["--shard-mb", "1"]
    assert run_cli("publish", workspace.root, "--to", tmp_path / "calm" / "set", *options).code == 0
    stormy = ("publish", workspace.root, "--to", tmp_path / "stormy" / "set", *options)
    assert kill_until_done(stormy, kills=3) > 0
    assert contents(tmp_path / "stormy" / "set") == contents(tmp_path / "calm" / "set")
    assert not list((tmp_path / "stormy").glob(".*"))


def visible(hub: Hub, name: str) -> list[set[str]]:
    """What anyone could have seen under `main` and the tags, commit by commit."""
    repository = hub.dataset(name)
    return [set(repository.commits[oid]) for oid, _ in repository.log]


def test_the_hub_shows_all_of_a_version_or_none_however_often_the_upload_was_killed(hub: Hub, tmp_path: Path) -> None:
    workspace = a_set(tmp_path / "w", recordings=8)
    assert run_cli("publish", workspace.root, "--to", tmp_path / "calm", "--shard-mb", "1").code == 0
    stormy = ("publish", workspace.root, "--repo", "org/news", "--shard-mb", "1", "--tag", "v1")
    assert kill_until_done(stormy, kills=3) > 0
    states = visible(hub, "org/news")
    assert states[0] == set()
    assert len(states) == 2
    assert hub.dataset("org/news").tags == {"v1": hub.dataset("org/news").branches["main"]}
    pushed = {path: hub.content(blob) for path, blob in hub.dataset("org/news").files().items()}
    shards = {name: content for name, content in contents(tmp_path / "calm").items() if name.endswith(".parquet")}
    assert {name: content for name, content in pushed.items() if name.endswith(".parquet")} == shards
