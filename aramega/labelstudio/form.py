"""Form: reads which fields a labelling configuration has, and whether push and pull can use it.

A field is known by the name of its control: the control called `transcript` holds the transcript, whatever it
looks like. Everything else in a configuration (layout, colours, hints, wording) is the lead's to change.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree

from aramega.errors import AramegaError

TEXT, CHOICE, RATING, SPEECH, PAIR = "TextArea", "Choices", "Rating", "Labels", "Pairwise"
FIELDS: Mapping[str, str] = {
    "transcript": TEXT,
    "summary": TEXT,
    "title": TEXT,
    "comment": TEXT,
    "verdict": CHOICE,
    "reason": CHOICE,
    "dialect": CHOICE,
    "emotion": CHOICE,
    "flags": CHOICE,
    "confidence": RATING,
    "speech": SPEECH,
    "preference": CHOICE,
}
"""The fields pull reads, and the tag each must be."""
VERDICTS = ("accept", "fix", "reject")
PREFERENCES = ("first", "second", "same")
VARIABLES = frozenset(
    "aramega audio passage transcript summary title recording uncertain draft priority first second".split()
)
"""What push puts into a task, for a configuration to show as $name."""
_CONTROLS = frozenset(
    "TextArea Choices Rating Labels Pairwise Number DateTime Taxonomy Ranker List Pairwise TimeSeriesLabels".split()
)


@dataclass(frozen=True)
class Control:
    """One thing an annotator fills in."""

    name: str
    tag: str
    about: str
    """The object it speaks of: `audio` or, for text annotators, a text."""
    choices: tuple[str, ...] = ()
    """What its choices are stored as."""
    per_region: bool = False


@dataclass(frozen=True)
class Form:
    """What a configuration asks, as far as it concerns us."""

    controls: Mapping[str, Control] = field(default_factory=dict)
    variables: frozenset[str] = frozenset()
    complaints: tuple[str, ...] = ()
    """Why push or pull could not use it."""
    remarks: tuple[str, ...] = ()
    """What works, but perhaps not as meant."""

    def has(self, name: str) -> bool:
        return name in self.controls


def template_path(name: str) -> Path:
    """A labelling configuration that comes with aramega, by its name."""
    return annotation_folder() / f"{name}.xml"


def annotation_folder() -> Path:
    """Where configurations and guidelines lie: in the package once installed, beside it in a checkout."""
    installed = Path(str(files("aramega"))) / "annotation"
    return installed if installed.is_dir() else installed.parent.parent / "annotation"


def load_template(named: str) -> str:
    """The XML of a file, or of one of our templates by name."""
    path = Path(named) if named.endswith(".xml") or "/" in named else template_path(named)
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        ours = ", ".join(sorted(p.stem for p in annotation_folder().glob("*.xml")))
        raise AramegaError(f"--template {named}: no such file, and none of ours ({ours}).") from None
    except (OSError, UnicodeDecodeError) as error:
        raise AramegaError(f"{named}: cannot be read ({error}).") from None


def read_form(xml: str) -> Form:
    """What a configuration asks; what is wrong with it is said in its `complaints`, all of it at once."""
    if re.search(r"<!(DOCTYPE|ENTITY)", xml, re.IGNORECASE):  # entities could blow up to gigabytes
        return Form(complaints=("it declares a DOCTYPE; labelling configurations need none: delete it.",))
    try:
        root = ElementTree.fromstring(xml)  # noqa: S314  without entities it is only as long as it is
    except ElementTree.ParseError as error:
        return Form(complaints=(f"it is not XML: {error}.",))
    controls = {c.name: c for c in _controls(root)}
    variables = frozenset(_variables(root))
    return Form(
        controls={name: c for name, c in controls.items() if name in FIELDS},
        variables=variables,
        complaints=tuple(_complaints(root, controls, variables)),
        remarks=tuple(_remarks(root, controls)),
    )


def usable_form(xml: str, whose: str) -> Form:
    """The form, or an error that says all that is wrong with it."""
    form = read_form(xml)
    if form.complaints:
        raise AramegaError(
            f"{whose}: " + "\n  ".join(("push and pull cannot use its labelling configuration:", *form.complaints))
        )
    return form


def _controls(root: ElementTree.Element) -> Iterator[Control]:
    for tag in root.iter():
        if tag.tag in _CONTROLS or ("toName" in tag.attrib and "name" in tag.attrib):
            choices = [c for c in tag.iter() if c.tag in ("Choice", "Label")]
            yield Control(
                name=tag.get("name", ""),
                tag=tag.tag,
                about=tag.get("toName", ""),
                choices=tuple(c.get("alias") or c.get("value") or "" for c in choices),
                per_region=tag.get("perRegion", "").lower() == "true",
            )


def _variables(root: ElementTree.Element) -> Iterator[str]:
    for tag in root.iter():
        for value in tag.attrib.values():
            if value.startswith("$"):
                yield value[1:].partition(".")[0]


def _complaints(root: ElementTree.Element, controls: Mapping[str, Control], variables: frozenset[str]) -> Iterator[str]:
    objects = {t.get("name") for t in root.iter() if t.get("value", "").startswith("$") and "toName" not in t.attrib}
    if root.tag != "View":
        yield f"its outermost tag is <{root.tag}>, not <View>."
    for name, control in controls.items():
        if not name:
            yield f"a <{control.tag}> has no name."
        if control.about not in objects:
            yield f'<{control.tag} name="{name}"> is about `{control.about}`, and nothing here is called that (toName).'
        if name in FIELDS and control.tag != FIELDS[name]:
            yield f"`{name}` is a <{control.tag}>; it must be a <{FIELDS[name]}> to hold what push writes and pull reads."
    if not set(controls) & set(FIELDS):
        yield f"it asks nothing that pull reads. Name a control one of: {', '.join(FIELDS)}."
    if unknown := sorted(variables - VARIABLES):
        yield f"it shows ${', $'.join(unknown)}; tasks hold: ${', $'.join(sorted(VARIABLES))}."
    if not variables & {"audio", "transcript", "first"}:
        yield "it shows neither $audio nor $transcript: there would be nothing to judge."
    yield from _wrong_choices(controls, "verdict", VERDICTS)
    yield from _wrong_choices(controls, "preference", PREFERENCES)


def _wrong_choices(controls: Mapping[str, Control], name: str, right: tuple[str, ...]) -> Iterator[str]:
    stray = [c for c in controls[name].choices if c not in right] if name in controls else []
    if stray:
        yield f"`{name}` offers {', '.join(stray)}; it must offer {', '.join(right)} (as value, or as alias of a value)."


def _remarks(root: ElementTree.Element, controls: Mapping[str, Control]) -> Iterator[str]:
    for name, control in controls.items():
        near = difflib.get_close_matches(name, FIELDS, n=1, cutoff=0.7)
        if name not in FIELDS:
            yield f"`{name}` is not read by pull{f'; did you mean `{near[0]}`?' if near else '.'}"
        if control.tag == CHOICE and not control.choices:
            yield f"`{name}` offers no choice."
    for tag in root.iter("TextArea"):
        if tag.get("name") in FIELDS and tag.get("maxSubmissions") != "1" and tag.get("perRegion") != "true":
            yield f'`{tag.get("name")}` takes several answers; pull joins them. maxSubmissions="1" keeps it to one.'
        if tag.get("name") in FIELDS and tag.get("editable") != "true":
            yield f'`{tag.get("name")}` cannot be edited in place: add editable="true".'
