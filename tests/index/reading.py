"""Bytes to documents, for the tests of the readers: `from reading import read, refusal, marked, SWEDISH`."""

from __future__ import annotations

import io
import zipfile

import pytest

from index.errors import ReadError
from index.readers import read_bytes
from index.types import Document

LIMIT = 1_000_000
SWEDISH = "Regeringen beslutade på måndagen att öppna nya förskolor. Frågorna besvaras av myndigheten."
VIETNAMESE = "Thành phố đã công bố hơn 540 bộ dữ liệu mở, phục vụ quản lý, kinh tế và xã hội."
BENGALI = "শহরটি ৫৪০ টিরও বেশি উন্মুক্ত ডেটা সেট প্রকাশ করেছে, যা ব্যবস্থাপনা ও অর্থনীতির জন্য কাজ করে।"
HINDI = "दोनों पक्षों ने सहयोग पर सहमति व्यक्त की और विशिष्ट नीतियों के विकास पर चर्चा की।"


def read(data: bytes | str, name: str = "a.txt", *, max_bytes: int = LIMIT) -> Document:
    raw = data.encode() if isinstance(data, str) else data
    return read_bytes(raw, name, max_bytes=max_bytes, max_garbled_share=0.02)


def refusal(data: bytes | str, name: str = "a.txt", *, max_bytes: int = LIMIT) -> ReadError:
    with pytest.raises(ReadError) as caught:
        read(data, name, max_bytes=max_bytes)
    assert "\n" not in caught.value.detail
    return caught.value


def marked(document: Document, kind: str) -> list[str]:
    return [document.text[s.start : s.end] for s in document.marked if s.kind == kind]


def make_zip(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return buffer.getvalue()
