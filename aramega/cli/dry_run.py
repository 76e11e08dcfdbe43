"""`aramega build-ssum --dry-run`: what there is to do, and what it would cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aramega.cli.build import ALL_DONE

if TYPE_CHECKING:
    from aramega.pipeline import Pipeline


def say_what_is_left(named: Sequence[str], pipeline: Pipeline) -> int:
    """What a build would do, stage by stage, and what its summaries would cost."""
    from aramega.pipeline.build import count_pending, estimate_summaries
    from aramega.sources import find_sources
    from aramega.store import Store

    place, config = pipeline.workspace, pipeline.config
    pipeline.check()
    print(f"{len(list(find_sources(named, config.ingest.extensions))):,} files named")
    if not place.database.exists():
        print(f"{place.root}: nothing is built yet; what summaries cost is known once there are transcripts.")
        return ALL_DONE
    with Store.open(place) as store:
        for stage, number in count_pending(store, pipeline).items():
            print(f"{stage}: {number:,} ready to be done")
        if not config.transcribe.model or config.summarize.model.kind == "extractive":
            return ALL_DONE
        told = estimate_summaries(store, pipeline)
    cost = f", {told.cost:.2f} by the prices given" if config.summarize.price_in or config.summarize.price_out else ""
    print(
        f"summaries of what is transcribed: {told.requests:,} requests, about {told.prompt_tokens:,} tokens to read and "
        f"{told.completion_tokens:,} to write{cost}"
    )
    return ALL_DONE
