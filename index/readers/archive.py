"""Office files and e-books are zips of XML: opened with limits, their parts parsed without anything from outside."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import unquote

from index.errors import ReadError, SkipReason
from index.readers.blocks import Extract

# A few kilobytes of zip can unpack to gigabytes. Real files grow about tenfold in their XML, which is small beside
# their pictures; XML takes ten times its size in memory once parsed.
_MOST_UNPACKED = 4
_MOST_PARTS = 10_000

T = TypeVar("T")


class Archive:
    """The parts of a zip.

    Args:
        data: the file.
        what: what it is called in errors: "the Word file".
        max_bytes: most bytes of a file; 4 times as many may be unpacked of it.

    Raises:
        ReadError: `too_large` when it unpacks to more, `broken` when it is no zip.
    """

    def __init__(self, data: bytes, *, what: str, max_bytes: int) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            parts = self._zip.infolist()
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise broken(what) from error
        if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _MOST_UNPACKED * max_bytes:
            raise ReadError(
                SkipReason.TOO_LARGE,
                f"{what} unpacks to more than {_MOST_UNPACKED * max_bytes / 1e6:.0f} MB; "
                "split it or raise RAG_MAX_FILE_MB",
            )
        self._what = what
        self.names = frozenset(part.filename for part in parts)

    def part(self, name: str) -> bytes:
        """The bytes of a part; KeyError when it is not there.

        Raises:
            ReadError: `broken`, it does not unpack.
        """
        try:
            return self._zip.read(name)
        except (KeyError, MemoryError):
            raise
        except Exception as error:  # zlib's, lzma's and others; RuntimeError where it has a password
            raise broken(self._what) from error

    def xml(self, name: str) -> Any:
        """The root element of a part; an empty element when the part is not there."""
        return parse_xml(self.part(name) if name in self.names else b"<none/>")

    def relations(self, name: str) -> dict[str, str]:
        """The targets of a part's relations (Open Packaging), as names of parts, by id."""
        folder, file = posixpath.split(name)
        found = self.xml(f"{folder}/_rels/{file}.rels" if folder else f"_rels/{file}.rels")
        return {
            each.get("Id", ""): joined(folder, each.get("Target", ""))
            for each in found
            if each.get("TargetMode") != "External"
        }


def parse_xml(data: bytes) -> Any:
    """The root element of XML, with no entity resolved and nothing fetched."""
    # Imported here because it takes 0.1 s and is needed for these formats alone.
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    return etree.fromstring(data, parser=parser)


def joined(folder: str, target: str) -> str:
    """A target as the name of a part: relative to a folder, or from the root when it begins with a slash."""
    path = unquote(target.partition("#")[0])
    return posixpath.normpath(posixpath.join("/" + folder, path)).lstrip("/")


def undamaged(read: Callable[[], Extract], what: str) -> Extract:
    """What `read` returns; a damaged file raises anything from KeyError to lxml's own.

    Raises:
        ReadError: `broken`, or what `read` raises.
    """
    try:
        return read()
    except (ReadError, MemoryError):
        raise
    except Exception as error:
        raise broken(what) from error


def broken(what: str) -> ReadError:
    """The error of a damaged file."""
    return ReadError(SkipReason.BROKEN, f"{what} is damaged; open it in its program and save it again")
