"""What came out of refining many files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass
class Report:
    """Counts of one run, or of one process of it; they add up.

    Attributes:
        refined: How many images were refined.
        skipped: How many were there already.
        failed: One line for each that could not be refined.
        notes: Lines on what was refined but looks odd.
        changed: How many pixels got another label.
        pixels: How many there were.
        seconds: Time for the refined ones.
        stopped: Why the run ended early, if it did.
        written: Whether there is an output; none is written where nothing could be refined.
    """

    refined: int = 0
    skipped: int = 0
    failed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    changed: int = 0
    pixels: int = 0
    seconds: float = 0.0
    stopped: str | None = None
    written: bool = True

    @property
    def ok(self) -> bool:
        """Whether everything is refined."""
        return not self.failed and self.stopped is None


def merge_reports(reports: Iterable[Report]) -> Report:
    """Add up the reports of several processes."""
    total = Report()
    for report in reports:
        total.refined += report.refined
        total.skipped += report.skipped
        total.failed += report.failed
        total.notes += [note for note in report.notes if note not in total.notes]
        total.changed += report.changed
        total.pixels += report.pixels
        total.seconds += report.seconds
        total.stopped = total.stopped or report.stopped
        total.written = total.written and report.written
    return total


def summary(report: Report, of: str = 'pixels') -> str:
    """One line for people: how many, what changed, how long.

    Args:
        report: The counts.
        of: What ``pixels`` counts: all pixels, or those in masks.
    """
    parts = [f'refined {report.refined}']
    if report.skipped:
        parts.append(f'skipped {report.skipped} already there')
    if report.failed:
        parts.append(f'failed {len(report.failed)}')
    text = ', '.join(parts)
    if report.refined:
        share = 100 * report.changed / max(report.pixels, 1)
        pace = 1000 * report.seconds / report.refined
        text += f'; {share:.2f} % of {of} changed, {pace:.0f} ms an image'
    return text


def places_text(places: Sequence[int], one: str = 'entry', more: str = 'entries') -> str:
    """Where something is, the first five places of it: ``entries 3, 4, 8, 9, 12 and 7 more``."""
    text = f'{one if len(places) == 1 else more} {", ".join(map(str, places[:5]))}'
    return text if len(places) <= 5 else f'{text} and {len(places) - 5} more'
