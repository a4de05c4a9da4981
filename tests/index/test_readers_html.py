"""Web pages: the article is kept, its furniture is not."""

from __future__ import annotations

from reading import BENGALI, SWEDISH, marked, read, refusal

from index.errors import SkipReason

HTML = f"""<!doctype html><html lang="sv"><head><title>Nya förskolor - Tidningen</title>
<meta property="og:title" content="Nya förskolor öppnas"><link rel="canonical" href="https://news.example/a/1">
<script>var spam = 1;</script></head><body><nav><a href="/">Hem</a> <a href="/x">Nyheter</a></nav>
<article><h1>Nya förskolor</h1><p>{SWEDISH} Den nya lagen träder i kraft i juni och gäller
alla kommuner i landet.</p><figure><img src="a.jpg">
<figcaption>Ministern håller tal</figcaption></figure>
<h2>Bakgrund</h2><p>Kommunerna har länge <b>väntat</b> på en
<a href="https://l.example">utredning</a> om förskolorna.</p>
<ul><li>Lund</li><li>Umeå</li></ul><table><tr><th>Stad</th><th>Antal</th></tr><tr><td>Lund</td><td>540</td></tr></table>
SOURCE</article><footer>Copyright</footer></body></html>"""


class TestHtml:
    def test_article(self) -> None:
        document = read(HTML.replace("SOURCE", ""), "page.bin")
        assert (document.title, document.source_url) == ("Nya förskolor öppnas", "https://news.example/a/1")
        assert document.text.startswith(
            f"Nya förskolor\n\n{SWEDISH} Den nya lagen träder i kraft i juni och gäller alla kommuner"
        )
        assert "väntat på en utredning om" in document.text
        assert "Lund\nUmeå" in document.text
        assert "Stad: Lund; Antal: 540" in document.text
        assert not any(word in document.text for word in ("spam", "Hem", "Copyright"))
        assert marked(document, "heading") == ["Nya förskolor", "Bakgrund"]
        assert marked(document, "caption") == ["Ministern håller tal"]
        assert document.language == "sv"

    def test_source_line_before_canonical_address(self) -> None:
        page = HTML.replace("SOURCE", '<p>Källa: <a href="https://o.example/2">Tidningen</a></p>')
        document = read(page, "a.html")
        assert document.source_url == "https://o.example/2"
        assert "Källa" not in document.text

    def test_page_without_article_gives_its_body(self) -> None:
        document = read(
            f"<html><body><div>{BENGALI}</div><div>kort<br>rad</div><script>x()</script></body></html>"
        )
        assert document.text.startswith(BENGALI)
        assert "kort" in document.text
        assert "x()" not in document.text
        assert document.language == "bn"

    def test_a_short_page_is_kept_whole(self) -> None:
        page = (
            "<h1>Menu</h1><nav><ul><li>Soup 45 kr</li><li>Fish 120 kr</li></ul></nav><table><tr><th>Day<th>Dish<th>Kr"
            "<tr><td rowspan=2>Mon<td>Soup<td>45<tr><td>Fish<td>120</table><dl><dt>Phone<dd>08-123</dl>"
            "<footer>Open 11-14.</footer>"
        )
        assert read(page, "menu.html").text == (
            "Menu\n\nSoup 45 kr\nFish 120 kr\n\nDay: Mon; Dish: Soup; Kr: 45\nDay: Mon; Dish: Fish; Kr: 120\n"
            "Phone: 08-123\n\nOpen 11-14."
        )

    def test_declared_encoding(self) -> None:
        page = f'<html><head><meta charset="windows-1252"></head><body><p>{SWEDISH}</p></body></html>'
        assert SWEDISH in read(page.encode("cp1252"), "a.html").text

    def test_deep_nesting(self) -> None:
        def page(depth: int) -> str:
            return "<html><body>" + "<div>" * depth + "djupt ner" + "</div>" * depth + "</body></html>"

        assert read(page(150)).text == "djupt ner"
        # Deeper than any page is: libxml2 stops, and nothing crashes.
        too_deep = refusal(page(50_000))
        assert (too_deep.reason, "nested too deeply" in too_deep.detail) == (SkipReason.TOO_LARGE, True)

    def test_no_text(self) -> None:
        assert refusal("<html><body><img src=a.png></body></html>").reason is SkipReason.EMPTY
