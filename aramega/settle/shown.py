"""What an annotator was shown: reviews speak of a draft only as long as it is the one they saw."""

from __future__ import annotations

import hashlib
import json

from aramega.records import Draft


def draft_fingerprint(draft: Draft) -> str:
    """Hash what an annotator is shown to correct: the fingerprint changes when that does, and only then."""
    lines = (
        [[line.segment, line.text, line.start, line.end] for line in draft.transcript.lines] if draft.transcript else []
    )
    summary = [draft.summary.text, draft.summary.title] if draft.summary else []
    labels = [draft.labels.dialect[:1], draft.labels.emotion[:1]] if draft.labels else []
    likeliest = [[score.label for score in scores] for scores in labels]
    content = json.dumps([lines, summary, likeliest], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
