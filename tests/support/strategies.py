"""What hypothesis draws records from: any text and any number that a record may hold."""

from __future__ import annotations

from hypothesis import strategies as st

from aramega.records import Line, Transcript, Word

texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.floats(allow_nan=False, allow_infinity=False)

transcripts = st.builds(
    Transcript,
    passage=texts,
    lines=st.lists(
        st.builds(
            Line,
            segment=texts,
            text=texts,
            start=numbers,
            end=numbers,
            avg_logprob=st.none() | st.floats(),
            tokens=st.lists(st.integers()).map(tuple),
            words=st.lists(st.builds(Word, texts, numbers, numbers, numbers)).map(tuple),
            flags=st.lists(texts).map(tuple),
        )
    ).map(tuple),
    model=texts,
)
