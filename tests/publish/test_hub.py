"""Publishing on the Hub, over the real clients: what is pushed is what is loaded, and trouble costs nothing but time."""

from __future__ import annotations

import hashlib
from pathlib import Path

import datasets
import huggingface_hub
import pytest

from aramega.config import LabelConfig, PublishConfig
from aramega.publish import Published, PublishJob, publish
from aramega.publish.hub import HubTarget
from aramega.records import AramegaError, Settled
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import load_drafted
from aramega.workspace import WorkspaceFolder
from tests.publish.sets import a_set, publish_to, resolve
from tests.support.loopback_hub import OWNER, READER, User

NAME = "org/news"


def push(
    workspace: WorkspaceFolder, *, dry_run: bool = False, withdrawn: Path | None = None, **about: object
) -> Published:
    options = PublishConfig(**about.pop("options", {}))  # type: ignore[arg-type]
    target = HubTarget(str(about.pop("repo", NAME)), workspace, **about)  # type: ignore[arg-type]
    with Store.open(workspace) as store:
        job = PublishJob(options, LabelConfig(), target, target.tag, withdrawn, dry_run=dry_run)
        return publish(store, workspace, job)


def test_a_stranger_loads_from_the_hub_what_the_workspace_holds(tmp_path, hub):
    workspace = a_set(tmp_path / "w", recordings=3)
    push(workspace)
    rows = datasets.load_dataset(NAME, "ssum", split="train").cast_column("audio", datasets.Audio(decode=False))
    with Store.open(workspace) as store:
        passages = {number: load_drafted(store, number) for number in find_passages(store)}
    for row in rows:
        known = passages[row["id"]]
        assert row["audio"]["bytes"] == (workspace.root / known.passage.clip).read_bytes()
        assert row["transcription"] == known.draft.transcript.text
    assert len(rows) > 0


def test_it_streams_and_decodes_from_the_hub(tmp_path, hub):
    push(a_set(tmp_path / "w", recordings=3))
    for name in ("ssum", "asr", "dialect"):
        row = next(iter(datasets.load_dataset(NAME, name, split="train", streaming=True)))
        assert row["audio"].get_all_samples().data.shape[1] == round(row["seconds"] * 16_000)


def test_a_version_is_one_commit_and_a_tag_and_what_is_gone_is_deleted(tmp_path, hub):
    workspace = a_set(tmp_path / "w")
    resolve(workspace)
    push(workspace, tag="v1.0")
    push(workspace, tag="v2.0", options={"configurations": ("ssum", "raw")})
    repository = hub.dataset(NAME)
    assert [message for _, message in repository.log] == ["initial commit", "Version v1.0", "Version v2.0"]
    assert repository.tags == {"v1.0": repository.log[1][0], "v2.0": repository.log[2][0]}
    assert any(path.startswith("asr/") for path in repository.files("v1.0"))
    assert not any(path.startswith(("asr/", "text_summ/", "index/asr")) for path in repository.files("v2.0"))
    assert datasets.load_dataset(NAME, "asr", split="train", revision="v1.0").num_rows > 0


def test_publishing_again_sends_nothing_and_a_tag_that_was_missed_is_set(tmp_path, hub):
    workspace = a_set(tmp_path / "w")
    push(workspace)
    sent = len([path for method, path in hub.requests if method == "PUT"])
    made = push(workspace, tag="v1.0")
    assert not made.changed
    assert len([path for method, path in hub.requests if method == "PUT"]) == sent
    assert hub.dataset(NAME).tags == {"v1.0": hub.dataset(NAME).branches["main"]}
    assert len(hub.dataset(NAME).log) == 2


def test_only_shards_that_changed_are_sent(tmp_path, hub):
    workspace = a_set(tmp_path / "w")
    numbers = resolve(workspace)
    push(workspace)
    before = {path: blob.oid for path, blob in hub.dataset(NAME).files().items()}
    hub.requests.clear()
    resolve(workspace, numbers[:1], title=Settled("عنوان آخر", verified=True))
    push(workspace)
    after = {path: blob.oid for path, blob in hub.dataset(NAME).files().items()}
    sent = [path for method, path in hub.requests if method == "PUT"]
    changed = {path for path in after if path.endswith(".parquet") and after[path] != before.get(path)}
    assert {path.split("/")[0] for path in changed} == {"ssum", "text_summ", "index"}
    assert len(sent) == len(changed)


def test_a_dry_run_shows_the_difference_to_what_is_on_the_hub_and_sends_nothing(tmp_path, hub):
    workspace = a_set(tmp_path / "w")
    gone, *_ = resolve(workspace)
    push(workspace)
    hub.requests.clear()
    made = push(workspace, dry_run=True, options={"where": f"passage <> '{gone}'"})
    assert made.changes["ssum"].removed == [gone]
    assert not [method for method, path in hub.requests if method == "PUT" or "/commit/" in path]
    assert not [path for _, path in hub.requests if "/resolve/" in path and "/ssum/" in path]


@pytest.mark.parametrize("kind", ["500", "429", "reset", "half", "hang"])
def test_an_upload_in_trouble_is_tried_again_and_the_result_is_the_same(tmp_path, hub, kind):
    workspace = a_set(tmp_path / "w", recordings=2)
    hub.hanging = 0.2
    hub.trouble("PUT /lfs/", kind, times=2, after=1, retry_after=0.01)
    push(workspace)
    publish_to(workspace, tmp_path / "set")
    for path, blob in hub.dataset(NAME).files().items():
        if path.endswith(".parquet"):
            assert hub.content(blob) == (tmp_path / "set" / path).read_bytes()


@pytest.mark.parametrize("request_", ["GET /api/whoami", "GET /api/datasets", "POST /api/datasets/org/news/preupload"])
def test_a_hub_that_is_down_for_a_moment_is_waited_for(tmp_path, hub, request_):
    hub.trouble(request_, "500", times=1)
    assert push(a_set(tmp_path / "w", recordings=2)).changed


def test_a_commit_whose_answer_is_lost_is_not_made_twice(tmp_path, hub):
    hub.trouble("POST .*/commit/", "lost answer")
    push(a_set(tmp_path / "w", recordings=2), tag="v1.0")
    assert [message for _, message in hub.dataset(NAME).log] == ["initial commit", "Version v1.0"]
    assert hub.dataset(NAME).tags == {"v1.0": hub.dataset(NAME).branches["main"]}


def test_a_hub_that_stays_down_leaves_nothing_visible_and_the_next_run_sends_only_the_rest(tmp_path, hub):
    workspace = a_set(tmp_path / "w", recordings=2)
    hub.trouble("PUT /lfs/", "500", times=10**6, after=2)
    with pytest.raises(AramegaError, match=r"uploading .*parquet: the Hub answered 500.*run again"):
        push(workspace)
    assert not hub.dataset(NAME).files()
    hub.faults.clear()
    hub.requests.clear()
    push(workspace)
    sent = [path for method, path in hub.requests if method == "PUT"]
    lfs = [path for path in hub.dataset(NAME).files() if path.endswith(".parquet")]
    assert len(sent) == len(lfs) - 2


def test_someone_else_s_commit_in_between_is_noticed(tmp_path, hub, monkeypatch):
    workspace = a_set(tmp_path / "w", recordings=2)
    push(workspace)
    resolve(workspace)
    send = HubTarget._send

    def meanwhile(target: HubTarget, additions: list[huggingface_hub.CommitOperationAdd]) -> None:
        send(target, additions)
        repository = hub.dataset(NAME)
        repository.commit("main", repository.files(), "someone else's")

    monkeypatch.setattr(HubTarget, "_send", meanwhile)
    with pytest.raises(AramegaError, match="someone else committed"):
        push(workspace)


def test_without_a_token_it_is_said_how_to_get_one_before_anything_is_built(tmp_path, hub, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(AramegaError, match="no token for the Hub: `hf auth login`"):
        push(a_set(tmp_path / "w", recordings=2))
    assert not hub.requests


@pytest.mark.parametrize(
    ("token", "repo", "says"),
    [
        (READER, NAME, "the token may only read"),
        ("hf_wrong_and_secret", NAME, "the Hub does not accept the token"),
        (OWNER, "other/news", "may publish under org, owner and not under other"),
        (OWNER, "news", "give it as org/name"),
    ],
)
def test_a_token_that_may_not_is_known_before_anything_is_built_and_never_shown(
    tmp_path, hub, monkeypatch, token, repo, says
):
    monkeypatch.setenv("HF_TOKEN", token)
    workspace = a_set(tmp_path / "w", recordings=2)
    with pytest.raises(AramegaError, match=says) as raised:
        push(workspace, repo=repo)
    assert token not in str(raised.value)
    assert not list(workspace.root.rglob("*.parquet"))


def test_an_organization_that_gives_this_user_no_right_to_write_here_is_known_before_anything_is_built(tmp_path, hub):
    workspace = a_set(tmp_path / "w", recordings=2)
    push(workspace)
    resolve(workspace)
    hub.users[OWNER] = User("owner", ("org",), role="fineGrained")
    with pytest.raises(AramegaError, match="this token may not"):
        push(workspace)
    assert not list(workspace.root.rglob("*.parquet"))


def test_a_repository_that_belongs_to_something_else_is_refused_unless_forced(tmp_path, hub):
    api = huggingface_hub.HfApi()
    api.create_repo(NAME, repo_type="dataset")
    api.upload_file(path_or_fileobj=b"a,b\n", path_in_repo="thesis.csv", repo_id=NAME, repo_type="dataset")
    workspace = a_set(tmp_path / "w", recordings=2)
    with pytest.raises(AramegaError, match=r"did not publish \(thesis\.csv, 1 files\).*--force"):
        push(workspace)
    push(workspace, force=True)
    assert "thesis.csv" not in hub.dataset(NAME).files()


def test_a_tag_that_names_another_version_is_refused_before_anything_is_built(tmp_path, hub):
    workspace = a_set(tmp_path / "w", recordings=2)
    push(workspace, tag="v1.0")
    resolve(workspace)
    with pytest.raises(AramegaError, match=r"has a tag v1\.0 already"):
        push(workspace, tag="v1.0")
    assert not list(workspace.root.rglob("ssum/*.parquet"))


def test_private_and_gated_are_set_before_there_is_anything_to_see(tmp_path, hub):
    push(a_set(tmp_path / "w", recordings=2), private=True, gated="auto")
    repository = hub.dataset(NAME)
    assert repository.private
    assert repository.gated == "auto"
    order = [path for method, path in hub.requests if method == "PUT" or "/commit/" in path]
    assert order[0].endswith("/settings")


def test_a_pull_request_leaves_main_as_it_was(tmp_path, hub):
    workspace = a_set(tmp_path / "w", recordings=2)
    push(workspace)
    before = hub.dataset(NAME).branches["main"]
    resolve(workspace)
    push(workspace, create_pr=True)
    assert hub.dataset(NAME).branches["main"] == before
    assert hub.dataset(NAME).files("refs/pr/1") != hub.dataset(NAME).files("main")


def test_the_splits_of_what_is_on_the_hub_win_over_the_workspace_s_own_memory(tmp_path, hub):
    workspace = a_set(tmp_path / "w", recordings=8)
    resolve(workspace)
    push(workspace)
    (workspace.root / "publish" / "splits.json").unlink()
    resolve(workspace, flags=("music",))
    made = push(workspace)
    assert not any(difference.moved or difference.removed for difference in made.changes.values())


def test_a_withdrawn_recording_is_gone_from_every_file_of_the_next_version(tmp_path, hub):
    workspace = a_set(tmp_path / "w", recordings=3)
    resolve(workspace)
    push(workspace)
    (tmp_path / "out.txt").write_text(f"{1:016x}\n", encoding="utf-8")
    push(workspace, withdrawn=tmp_path / "out.txt")
    for path, blob in hub.dataset(NAME).files().items():
        assert hashlib.sha256(hub.content(blob)).hexdigest() == blob.oid
        if not path.endswith(".parquet") or path.startswith(("ssum", "asr")):
            assert f"{1:016x}".encode() not in hub.content(blob)
