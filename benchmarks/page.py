"""Tables that benchmarks put into pages of the documentation, between two marks."""

from pathlib import Path

from mmrefine.files.whole_files import write_whole_file

BEGIN, END = '<!-- table -->', '<!-- end of table -->'


def write_page(page: Path, table: str) -> None:
    """Put a table between the marks of a page."""
    head, begin, rest = page.read_text('utf-8').partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f'{page}: expected a page with {BEGIN} and {END}')
    write_whole_file(page, f'{head}{begin}\n\n{table}\n\n{end}{tail}'.encode())
