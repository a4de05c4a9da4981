"""Signing in with a browser: the form, the cookie, and that nobody else opens or ends a session."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from keyed import Keyed, bearer, sign_in
from operation import Make

from index.language.lexicon import languages
from rag.api.login import COOKIE, Sessions
from rag.api.page_language import COOKIE as LANGUAGE_COOKIE
from rag.keys import KeyStore
from ui.labels import labels_in

HTML = {"accept": "text/html,application/xhtml+xml"}


def test_a_browser_is_asked_for_the_key(visitor: httpx.Client) -> None:
    page = visitor.get("/", headers={**HTML, "accept-language": "sv-SE,sv;q=0.9"})
    assert page.status_code == 401
    assert page.headers["content-type"].startswith("text/html")
    assert '<form method=post action="/login">' in page.text
    assert "Logga in" in page.text
    assert "<script" not in page.text
    assert "http" not in page.text
    # With the policy of the other pages a browser would say that the form comes from nowhere.
    assert page.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize(
    "chosen", [False, True], ids=["the browser's language", "the one chosen on the page"]
)
def test_it_speaks_the_language_of_the_page_errors_too(
    visitor: httpx.Client, language: str, chosen: bool
) -> None:
    browser = "vi" if chosen and language != "vi" else "en" if chosen else language
    headers = {**HTML, "accept-language": f"xx,{browser}-XX;q=0.9"}
    if chosen:
        headers["cookie"] = f"other=1; {LANGUAGE_COOKIE}={language}"
    labels = labels_in(language)
    asking = visitor.get("/", headers=headers).text
    assert f'<html lang="{language}">' in asking
    for name in ("key", "sign_in"):
        assert labels[name] in asking, name
    assert labels["key_unknown"] in visitor.post("/login", data={"key": "nope"}, headers=headers).text


def test_a_language_without_a_table_is_not_chosen(visitor: httpx.Client) -> None:
    headers = {**HTML, "accept-language": "sv", "cookie": f'{LANGUAGE_COOKIE}="><script>'}
    page = visitor.get("/", headers=headers).text
    assert '<html lang="sv">' in page
    assert "<script" not in page


@pytest.mark.parametrize(("site", "again"), [("cross-site", True), ("same-origin", False), ("none", False)])
def test_who_comes_by_a_link_of_another_site_is_asked_again(
    visitor: httpx.Client, site: str, again: bool
) -> None:
    """The browser keeps the cookie back at first, and only then."""
    page = visitor.get("/", headers={**HTML, "sec-fetch-site": site})
    assert ("http-equiv=refresh" in page.text) is again


@pytest.mark.parametrize("scope", ["read", "write"])
def test_signing_in_and_out(visitor: httpx.Client, guarded: Keyed, scope: str) -> None:
    secret = getattr(guarded, scope)
    entered = sign_in(visitor, secret)
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    for attribute in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age="):
        assert attribute in cookie
    assert "Secure" not in cookie, "this server is reached without TLS here"
    assert secret not in cookie
    # The page and what it asks for, with the cookie alone.
    for path in ("/", "/config", "/theme.css", "/gradio_api/info", "/v1/documents", "/docs"):
        assert visitor.get(path).status_code == 200, path
    assert "Signed in as" in visitor.get("/login").text
    token = visitor.cookies[COOKIE]
    left = visitor.post("/logout")
    assert (left.status_code, left.headers["location"]) == (303, "/login")
    assert COOKIE not in visitor.cookies
    assert visitor.get("/").status_code == 401
    assert visitor.get("/", headers={"cookie": f"{COOKIE}={token}"}).status_code == 401, (
        "ended, not only forgotten"
    )


def test_a_wrong_key_does_not_sign_in(visitor: httpx.Client) -> None:
    for wrong in ("nope", "", "x" * 10_000):
        page = sign_in(visitor, wrong)
        assert page.status_code == 401
        assert "role=alert" in page.text
        assert "set-cookie" not in page.headers
    assert visitor.post("/login", content=b"\xff\x00%zz").status_code == 401


def test_behind_tls_the_cookie_stays_there(visitor: httpx.Client, guarded: Keyed) -> None:
    headers = {"origin": "https://docs.example.org", "host": "docs.example.org"}
    entered = visitor.post("/login", data={"key": guarded.read}, headers=headers)
    assert "Secure" in entered.headers["set-cookie"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_another_sites_page_signs_nobody_in_or_out(
    visitor: httpx.Client, guarded: Keyed, origin: str
) -> None:
    headers = {"origin": origin}
    assert visitor.post("/login", data={"key": guarded.read}, headers=headers).status_code == 403
    sign_in(visitor, guarded.read)
    assert visitor.post("/logout", headers=headers).status_code == 403
    assert visitor.get("/").status_code == 200


def test_a_session_ends_with_its_key(visitor: httpx.Client, guarded: Keyed) -> None:
    secret = guarded.store.add("for a session")
    sign_in(visitor, secret)
    assert visitor.get("/").status_code == 200
    guarded.store.revoke("for a session")
    assert visitor.get("/").status_code == 401


@pytest.mark.parametrize("cookie", ["", "x", "x" * 5000, f"; {COOKIE}=a", '"', "é"])
def test_a_made_up_cookie_opens_nothing(visitor: httpx.Client, cookie: str) -> None:
    assert visitor.get("/", headers={b"cookie": f"{COOKIE}={cookie}".encode()}).status_code == 401


def test_other_cookies_do_not_hide_the_session(visitor: httpx.Client, guarded: Keyed) -> None:
    token = sign_in(visitor, guarded.read).cookies[COOKIE]
    visitor.cookies.clear()
    mixed = {"cookie": f'other="; bad=[; {COOKIE}={token}; more=1'}
    assert visitor.get("/", headers=mixed).status_code == 200


def test_sessions_count_to_their_key(make: Make, tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    secret = store.add("one")
    client = make(keys=store, rate_limit="3/hour")
    asked = []
    for _ in range(4):
        sign_in(client, secret)
        asked.append(client.get("/v1/documents").status_code)
    assert asked == [200, 200, 200, 429]
    client.cookies.clear()
    assert client.get("/v1/documents", headers=bearer(secret)).status_code == 429


def test_a_key_signs_in_so_often_and_others_still_do(make: Make, tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    one, other = store.add("one"), store.add("other", scope="write")
    client = make(keys=store)
    statuses = [sign_in(client, one).status_code for _ in range(61)]
    assert statuses == [303] * 60 + [429]
    refused = sign_in(client, one)
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert refused.json()["type"] == "urn:polycite:problem:rate-limited"
    assert sign_in(client, other).status_code == 303


def test_a_key_that_signs_in_again_and_again_ends_its_own_sessions_alone(tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    reader, writer = (store.find(store.add(name)) for name in ("reader", "writer"))
    assert reader is not None
    assert writer is not None
    sessions = Sessions()
    written, first = sessions.open(writer), sessions.open(reader)
    last = [sessions.open(reader) for _ in range(1000)][-1]
    assert [sessions.key(token, store) for token in (written, first, last)] == [writer, None, reader]


@pytest.mark.parametrize("path", ["/heal%09thz", "/healthz%0A", "/lo%0Dgin", "/healthz%20"])
def test_a_path_is_taken_as_it_was_sent(visitor: httpx.Client, path: str) -> None:
    assert visitor.get(path).status_code == 401
