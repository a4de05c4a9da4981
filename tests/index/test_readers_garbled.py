"""Text that a broken text layer garbled is told from correct text of every script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import BENGALI, HINDI, SWEDISH, VIETNAMESE, refusal

from index.normalise import normalise
from index.readers.garbled import garbled_share
from index.readers.legacy_fonts import legacy_font

CORRECT = {
    "bn": BENGALI + " র‍্যাব ও এ্যাপ, বাংলাদেশ দুঃখ চাঁদ হঠাৎ উদ্যোক্তা ৫৭-এনকিউ।",
    "hi": HINDI + " अर्थात् ज़रूरत हैं दुःख काँच लड़कियाँ",
    "mr": "ही बैठक मुंबईत झाली आणि ऑगस्टमध्ये पुन्हा होईल.",
    "ne": "गर्‍यो भन्यो श्रीमान् काठमाडौँ",
    "ta": "தமிழ்நாடு அரசு புதிய திட்டத்தை அறிவித்தது, கொடுக்கப்பட்டது.",
    "ml": "അവന്‍ വീട്ടില്‍ പോയി, അതു് നല്ലതാണ് കൊണ്ടുവന്നു.",
    "te": "ప్రభుత్వం కొత్త పథకాన్ని ప్రకటించింది, కైలాసం.",
    "si": "ශ්‍රී ලංකා රජය නව ව්‍යාපෘතියක් ප්‍රකාශ කළේය.",
    "pa": "ਸਰਕਾਰ ਨੇ ਨਵੀਂ ਯੋਜਨਾ ਦਾ ਐਲਾਨ ਕੀਤਾ, ਪੰਜਾਬੀ।",
    "th": "รัฐบาลอนุมัติกฎหมายใหม่เกี่ยวกับข้อมูลเปิด น้ำผึ้ง เก้าอี้",
    "my": "အစိုးရသည် ဥပဒေသစ်ကို အတည်ပြုခဲ့သည်။",
    "km": "រដ្ឋាភិបាលបានអនុម័តច្បាប់ថ្មី",
    "bo": "བོད་སྐད་ཀྱི་ཡི་གེ",
    "vi": VIETNAMESE,
    "ar": "وَافَقَتِ الحُكُومَةُ عَلَى قَانُونٍ جَدِيدٍ، مُحَمَّدٌ",
    "he": "בְּרֵאשִׁית בָּרָא אֱלֹהִים אֵת הַשָּׁמַיִם",
    "fa": "می‌خواهم کتاب‌ها را بخوانم",
    "en": "Keycaps 1️⃣, hearts ❤️, 5 °C, 3 m², l·l, ©2025 “x” naïve £5.",
    "zh": "国务院周三通过了一项新法律。",
}


LEGACY = {
    "Kruti Dev": "ftyk iapk;r dh cSBd esa r; fd;k x;k fd lM+d dk dke twu esa 'kq: gksxk vkSj ykxr 40 yk[k :i;s gSA",
    "Bijoy": "cyi‡mfv GKwU bZzb cvVvMvi Rb¨ UvKv w`‡q‡Q Ges KvR ïiæ n‡e Ryb †_‡K| wZwb Zvi Avwg bv|",
    "TCVN3": "Héi ®ång ®· th«ng qua kÕ ho¹ch vµ ®îc tØnh hç trî; c¸c hé d©n kh«ng ph¶i ®ãng, mét sè ®êng cña x·.",
    "VNI": "Hoäi ñoàng thoâng qua keá hoaïch vaø ñöôïc tænh hoã trôï, caùc hoä daân khoâng ñoùng, moät soá ñöôøng.",
}


@pytest.mark.parametrize("font", LEGACY)
def test_text_for_a_font_of_old_is_refused_with_its_name(font: str) -> None:
    assert font in refusal(LEGACY[font], "letter.txt").detail
    assert all(legacy_font(normalise(text)) is None for text in (*CORRECT.values(), SWEDISH))


class TestGarbled:
    @pytest.mark.parametrize("language", CORRECT)
    def test_correct_text_is_not(self, language: str) -> None:
        assert garbled_share(normalise(CORRECT[language])) == 0.0

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(visual, id=name)
            for name, visual in {
                # The vowel signs i, e and ai are drawn before their consonant and stored there by old PDF
                # writers.
                "visual-order-bn": "েসখােন িতিন বেলেছন েয, িবজ্ঞান ও প্রযুিক্ত িবভাগ কাজ কের।",
                "visual-order-hi": "िवज्ञान िवभाग ने िनर्णय िलया िक िशक्षा िमले",
                "dropped-consonants": "".join(c for i, c in enumerate(BENGALI) if c not in "কটরশপ"),
                "private-use": HINDI.replace("ो", "\ue012").replace("क", "\uf0a1"),
                "replacement": HINDI.replace("ा", "\ufffd"),
                "cid": "(cid:123)(cid:45)(cid:9) (cid:88)" * 10,
                "cid-between-words": "दोनों (cid:12)(cid:7) पक्षों " * 5,
                "glyph-names": "/g12/g7/g33/g4 /g9/g10/g11 " * 5,
                "bijoy-font": "evsjv‡`‡ki ¯^vaxbZv hy‡×i BwZnvm wb‡q G‡m‡Q †m",
                "utf-8-as-latin-1": SWEDISH.encode().decode("latin-1") + "Ã¶Ã¤Â¤r",
            }.items()
        ],
    )
    def test_broken_text_is(self, text: str) -> None:
        assert garbled_share(text) > 0.02

    @pytest.mark.parametrize(
        ("text", "share"), [("", 0.0), ("123 ।", 0.0), ("\ufffd\ue000", 1.0), ("abc\ufffd", 1 / 4)]
    )
    def test_values(self, text: str, share: float) -> None:
        assert garbled_share(text) == share

    @given(st.text())
    def test_is_a_share(self, text: str) -> None:
        assert 0.0 <= garbled_share(text) <= 1.0
