"""Messages of the code that refines any files, in the words of the page.

In a terminal they end with options that help. The page has no options: it says what it has.
"""

import re

# What a message says, and what the page says there.
IN_WORDS_OF_THE_PAGE = {
    '--resize-masks brings it to that': 'tick "resize masks" to bring it to that',
    'if they are binary masks, use --ignore-index none': 'give binary masks apart from others',
    'where names end differently, --image-suffix and --mask-suffix say how, for example '
    '--image-suffix _leftImg8bit': 'give both the same name',
    '--annotations can say which image it is': 'give images their ids as names, as in 139.jpg',
    'with --annotations they are looked up': 'image ids as names, as in 139.jpg, are certain',
    'choose three bands (bands=(3, 2, 1), --bands 3 2 1) or give a BGR uint8 array': (
        'save three of its bands as an 8-bit image'
    ),
}
# The part of a sentence, up to a semicolon, that names an option.
OPTION = re.compile(r'; [^;]*(?<!\S)\(?--[a-z][^;]*')


def for_page(text: str) -> str:
    """A message without options of the command line."""
    for said, here in IN_WORDS_OF_THE_PAGE.items():
        text = text.replace(said, here)
    return OPTION.sub('', text)
