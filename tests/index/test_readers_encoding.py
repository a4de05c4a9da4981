"""Bytes to text: the encoding is found, binary data is told from text."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import BENGALI, HINDI, SWEDISH, refusal

from index.errors import SkipReason
from index.normalise import normalise
from index.readers.encoding import decode


class TestEncoding:
    @pytest.mark.parametrize(
        ("text", "encoding"),
        [
            pytest.param(SWEDISH, "utf-8-sig", id="utf-8-mark"),
            pytest.param(SWEDISH, "cp1252", id="sv-windows"),
            pytest.param(SWEDISH, "latin-1", id="sv-latin-1"),
            pytest.param("Vad är klockan på morgonen?", "cp1252", id="sv-short"),
            pytest.param("Die Behörde veröffentlichte über 500 Datensätze.", "cp1252", id="de-windows"),
            pytest.param("Władze ogłosiły, że źródła są już dostępne. Gęś śpi.", "cp1250", id="pl-windows"),
            pytest.param(
                "Bakanlık açık veriye ilişkin yeni yasayı çarşamba günü onayladı.", "cp1254", id="tr-windows"
            ),
            pytest.param("Правительство приняло новый закон об открытых данных.", "cp1251", id="ru-windows"),
            pytest.param("国务院周三通过了一项关于开放数据的新法律，将于六月生效。", "gb18030", id="zh"),
            pytest.param(BENGALI, "utf-16", id="bn-utf-16-mark"),
            pytest.param(BENGALI, "utf-16-le", id="bn-utf-16-no-mark"),
            pytest.param(SWEDISH, "utf-16-be", id="sv-utf-16-no-mark"),
            pytest.param(HINDI, "utf-32", id="hi-utf-32"),
        ],
    )
    def test_found(self, text: str, encoding: str) -> None:
        assert decode(text.encode(encoding)) == text

    def test_vietnamese_windows(self) -> None:
        # cp1258 writes tones as marks behind the vowel; NFC makes whole letters of them again.
        legacy = "Thành phôì ðaÞ công bôì hõn 540 bôò".encode("cp1252")
        assert normalise(decode(legacy)) == "Thành phố đã công bố hơn 540 bộ"

    def test_few_broken_bytes_do_not_change_the_encoding(self) -> None:
        assert decode(HINDI.encode() * 3 + b"\xff\xe0") == HINDI * 3 + "\ufffd\ufffd"

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(random.Random(1).randbytes(2000), id="random"),
            pytest.param(bytes(range(256)) * 4, id="all-bytes"),
            pytest.param(b"\x00\x01\x02\x03" * 100, id="nuls"),
        ],
    )
    def test_binary(self, data: bytes) -> None:
        assert refusal(data).reason is SkipReason.BINARY

    @given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1))
    def test_every_utf8_text_decodes(self, text: str) -> None:
        assert decode(b"x" + text.encode()) == f"x{text}"
