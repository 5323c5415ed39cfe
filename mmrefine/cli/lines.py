"""Lines for the terminal."""


def plain(text: object) -> str:
    """A text whose control characters are shown, not followed.

    Names of files may hold sequences that clear a terminal, rename its window or hide what was
    printed before.
    """
    return ''.join(
        letter if letter.isprintable() or letter in '\n\t' else f'\\x{ord(letter):02x}'
        for letter in str(text)
    )
