"""The local web page: ``mmrefine app``. Its files are all that it serves; nothing is fetched."""
