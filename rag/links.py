"""Links to what an answer rests on: http and https only, straight to the quoted words."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from rag.answer import Citation

# A text fragment names the first and last words of the quote. Chosen: short enough for a URL, long enough to be found.
_FRAGMENT_WORDS = 4


def safe_url(url: str | None) -> str | None:
    """Return an absolute http or https URL as it may stand in a link, None for anything else."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname)
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not named or re.search(r"[\s\x00-\x1f\x7f]", url):
        return None
    # Characters that a URL may not hold are encoded; what is encoded already stays.
    return quote(url, safe="%:/?#[]@!$&'()*+,;=~")


def text_fragment(quoted: str) -> str:
    """Return the directive that makes a browser scroll to a quote and mark it, without the leading `#`.

    See https://wicg.github.io/scroll-to-text-fragment/: `text=first words,last words`.
    """
    words = quoted.split()
    ends = (
        [words] if len(words) <= 2 * _FRAGMENT_WORDS else [words[:_FRAGMENT_WORDS], words[-_FRAGMENT_WORDS:]]
    )
    # A dash has a meaning of its own there, and quote() never encodes it.
    return ":~:text=" + ",".join(quote(" ".join(end), safe="").replace("-", "%2D") for end in ends)


def source_link(citation: Citation) -> str | None:
    """Return the link to a citation's source, straight to the quoted words; None when there is no safe URL."""
    url = safe_url(citation.source_url)
    if url is None:
        return None
    return f"{url}{'' if '#' in url else '#'}{text_fragment(citation.quote)}"
