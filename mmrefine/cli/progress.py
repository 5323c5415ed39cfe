"""Progress bars on the terminal, where there is one."""

from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class ProgressBars:
    """Progress bars on stderr, to be used in a ``with`` statement.

    Args:
        shown: Whether to show any.
    """

    def __init__(self, shown: bool = True) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn('{task.description}'),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not (shown and console.is_terminal),
        )

    def __enter__(self) -> 'ProgressBars':
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the bars as they are."""
        self._progress.stop()

    def start(self, what: str, steps: int) -> Callable[[], None]:
        """Show another bar; what is returned is called after each step."""
        bar = self._progress.add_task(what, total=steps)
        return lambda: self._progress.advance(bar)
