"""How a calibration looks on a terminal: what it rests on, and whether its probabilities hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aramega.display import count

if TYPE_CHECKING:
    from aramega.settle.calibration import Calibration


def show_calibration(calibration: Calibration) -> None:
    learned, score = calibration.reliability, calibration.score_reliability
    print(
        f"Learned from {count(calibration.reviews, 'review')} of {calibration.groups:,} speakers or recordings; "
        f"{calibration.accepted:.1%} accepted the draft unchanged."
    )
    print("Measured on speakers left out in turn:")
    print("  predicted   came true   reviews")
    for held in learned.bins:
        print(f"  {held.predicted:9.1%}   {held.observed:9.1%}   {held.drafts:7,}")
    print(
        f"Calibration error {learned.ece:.3f} (by chance alone {learned.ece_by_chance:.3f}; the score taken for a "
        f"probability {score.ece:.3f}); Brier score {learned.brier:.3f} (the score {score.brier:.3f})."
    )
    texts = [errors.text for errors in calibration.errors]
    print(f"Expected errors are known of: {', '.join(texts) or 'no text yet'}.")
