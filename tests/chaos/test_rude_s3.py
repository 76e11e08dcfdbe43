"""The rude S3 is an S3, and is rude when told to be: else storms over it would prove nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("moto")
s3fs = pytest.importorskip("s3fs")

from tests.chaos.rude_s3 import BUCKET, Mood, RudeS3  # noqa: E402  skipped before that

CONTENT = bytes(range(256)) * 4000


@pytest.fixture(scope="module")
def s3() -> Iterator[RudeS3]:
    made = RudeS3()
    made.files().pipe_file(f"{BUCKET}/there.bin", CONTENT)
    yield made
    made.close()


@pytest.fixture
def client(s3: RudeS3) -> Iterator[Any]:
    """Through the proxy, and giving up at once."""
    told = s3.environment()
    yield s3fs.S3FileSystem(
        endpoint_url=s3.endpoint,
        key=told["AWS_ACCESS_KEY_ID"],
        secret=told["AWS_SECRET_ACCESS_KEY"],
        config_kwargs={"retries": {"max_attempts": 1}, "read_timeout": 20},
        skip_instance_cache=True,
        use_listings_cache=False,
    )
    s3.calm_down()


def test_a_calm_one_keeps_and_gives_back(s3: RudeS3, client: Any) -> None:
    client.pipe_file(f"{BUCKET}/new.bin", CONTENT)
    assert client.cat_file(f"{BUCKET}/new.bin") == CONTENT
    assert s3.files().cat_file(f"{BUCKET}/there.bin", start=10, end=20) == CONTENT[10:20]
    assert [path.rpartition("/")[2] for path in client.ls(BUCKET)] == ["new.bin", "there.bin"]


@pytest.mark.parametrize("mood", [Mood.ERRORS, Mood.BROKEN, Mood.SLOW])
def test_a_rude_one_meddles_with_answers_and_calms_down(s3: RudeS3, client: Any, mood: Mood) -> None:
    before = s3.rudenesses
    while s3.rudenesses == before:
        s3.be_rude(mood)  # again, for it lasts seconds, and not every answer is meddled with
        with contextlib.suppress(OSError):
            assert client.cat_file(f"{BUCKET}/there.bin") == CONTENT, "half a file is never taken for a whole one"
    s3.calm_down()
    assert client.cat_file(f"{BUCKET}/there.bin") == CONTENT
