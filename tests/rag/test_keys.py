"""API keys: how they are kept, and that nothing but /healthz is reached without one that suffices."""

from __future__ import annotations

import hmac
import json
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import Request
from fastapi.testclient import TestClient
from loopback import served
from texts import HOSTILE, MULTI_SCRIPT

from index.errors import UsageError, WorkError
from rag import keys
from rag.api.guard import scope_of
from rag.api.login import COOKIE
from rag.keys import KeyStore, command_key
from rag.settings import RagSettings
from ui.server import build_app

if TYPE_CHECKING:
    from fastapi import FastAPI

    from rag.assistant import Assistant

HERE = "http://127.0.0.1:8000"
HTML = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path)


# -- how they are kept


def test_a_key_is_found_until_it_is_revoked(store: KeyStore) -> None:
    secrets = [store.add("one"), store.add("two", scope="write")]
    assert [store.find(secret).scope for secret in secrets] == ["read", "write"]  # type: ignore[union-attr]
    assert [key.name for key in store.known()] == ["one", "two"]
    store.revoke("one")
    assert store.find(secrets[0]) is None
    assert store.find(secrets[1]) is not None
    assert store.in_force()


def test_the_file_tells_no_key_and_nobody_else_reads_it(store: KeyStore) -> None:
    secret = store.add("one")
    assert secret.startswith(keys.PREFIX)
    assert len(secret) >= len(keys.PREFIX) + 43, "32 random bytes"
    assert secret not in store.path.read_text()
    assert secret.removeprefix(keys.PREFIX) not in store.path.read_text()
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_no_two_keys_are_alike(store: KeyStore) -> None:
    made = {store.add(str(number)) for number in range(20)}
    assert len(made) == len({key.digest for key in store.known()}) == 20


@pytest.mark.parametrize("wrong", ["", "pc_", "pc_x", "Bearer", *HOSTILE.values()])
def test_what_is_no_key_is_not_found(store: KeyStore, wrong: str) -> None:
    store.add("one")
    assert store.find(wrong) is None
    digest = store.known()[0].digest
    assert store.find(digest) is None, "its hash is not the key"


def test_every_key_is_compared_in_constant_time(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, also after one has fitted: the time tells neither which nor how much of it."""
    first = store.add("first")
    store.add("second")
    store.add("third")
    compared: list[str] = []
    real = hmac.compare_digest

    def seen(one: Any, other: Any) -> bool:
        compared.append(one)
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", seen)
    assert store.find(first) is not None
    assert compared == [key.digest for key in store.known()]


@pytest.mark.parametrize("name", ["", " x", "x ", "a\nb", "\x00", "x" * 65, "a\tb"])
def test_a_name_that_would_not_show_is_refused(store: KeyStore, name: str) -> None:
    with pytest.raises(UsageError, match="names no key"):
        store.add(name)
    assert not store.in_force()


@pytest.mark.parametrize(
    "name", [text[:20].strip() for text in MULTI_SCRIPT.values()], ids=list(MULTI_SCRIPT)
)
def test_a_name_is_of_any_script(store: KeyStore, name: str) -> None:
    store.add(name)
    assert [key.name for key in KeyStore(store.path.parent).known()] == [name]


def test_a_name_is_taken_once(store: KeyStore) -> None:
    first = store.add("one")
    with pytest.raises(UsageError, match="already"):
        store.add("one")
    assert store.find(first) is not None


def test_revoking_nothing_says_so(store: KeyStore) -> None:
    with pytest.raises(UsageError, match="rag keys list"):
        store.revoke("one")


def test_commands_at_once_lose_nothing(tmp_path: Path) -> None:
    names = [f"key {number}" for number in range(12)]
    threads = [threading.Thread(target=KeyStore(tmp_path).add, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(key.name for key in KeyStore(tmp_path).known()) == sorted(names)
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"keys": [{"name": "x"}]}', "\xff"])
def test_a_damaged_file_lets_nobody_in(store: KeyStore, content: str) -> None:
    secret = store.add("one")
    store.path.write_text(content, "latin-1")
    assert store.in_force()
    with pytest.raises(WorkError, match=r"keys\.json cannot be read"):
        store.find(secret)


def test_a_server_that_had_keys_does_not_become_open(store: KeyStore) -> None:
    store.add("one")
    assert store.in_force()
    store.revoke("one")
    assert KeyStore(store.path.parent).in_force(), "nor does one that starts then"
    store.path.unlink()
    assert store.in_force()


def test_when_a_key_was_used_is_remembered(store: KeyStore) -> None:
    store.add("one")
    store.add("two")
    used, _ = store.known()
    assert store.last_used() == {}
    store.note_used(used)
    assert set(KeyStore(store.path.parent).last_used()) == {used.digest}
    store.revoke("one")
    store.note_used(store.known()[0])
    assert set(store.last_used()) == {store.known()[0].digest}, "a key that is gone leaves nothing"


def test_the_commands_of_this_user_have_a_key_while_the_server_runs(store: KeyStore, tmp_path: Path) -> None:
    store.add("one")
    assert command_key(tmp_path) is None
    with store.command_key():
        secret = command_key(tmp_path)
        assert secret is not None
        key = store.find(secret)
        assert key is not None
        assert key.scope == "write"
        assert stat.S_IMODE((tmp_path / keys.COMMAND_NAME).stat().st_mode) == 0o600
        assert [each.name for each in store.known()] == ["one"]
    assert command_key(tmp_path) is None
    assert store.find(secret) is None


# -- over HTTP


@pytest.fixture(scope="module")
def guarded(
    assistant: Assistant, seed_settings: RagSettings, tmp_path_factory: pytest.TempPathFactory
) -> Keyed:
    """The whole server with a read and a write key."""
    store = KeyStore(tmp_path_factory.mktemp("keys"))
    made = {scope: store.add(f"a {scope} key", scope=scope) for scope in ("read", "write")}
    settings = seed_settings.model_copy(update={"rate_limit": "off"})
    return Keyed(build_app(assistant, settings, keys=store), store, made["read"], made["write"])


class Keyed:
    """An application, its keys, and two of their secrets."""

    def __init__(self, app: FastAPI, store: KeyStore, read: str, write: str) -> None:
        self.app, self.store, self.read, self.write = app, store, read, write


@pytest.fixture(scope="module")
def address(guarded: Keyed) -> Iterator[str]:
    """Where it is served, over a real socket."""
    with served(guarded.app) as found:
        yield found


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    """A client without a key."""
    with httpx.Client(base_url=address, timeout=30) as opened:
        yield opened


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def test_nothing_of_the_api_is_reached_without_a_key(client: httpx.Client, guarded: Keyed) -> None:
    openapi = client.get("/openapi.json", headers=bearer(guarded.read)).json()
    reached = []
    for path, methods in openapi["paths"].items():
        for method in methods:
            response = client.request(method, path.replace("{", "").replace("}", ""))
            if response.status_code != 401:
                reached.append(path)
                continue
            assert response.headers["content-type"] == "application/problem+json"
            assert response.headers["www-authenticate"] == "Bearer"
            assert response.json()["type"] == "urn:polycite:problem:key-missing"
    assert len(openapi["paths"]) > 6
    assert reached == ["/healthz"]


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/",
            "/docs",
            "/openapi.json",
            "/config",
            "/theme.css",
            "/gradio_api/info",
            "/gradio_api/heartbeat/x",
        ),
        *("/v1/nothing", "/v1/documents/", "//v1/documents", "/V1/documents", "/%76%31/documents"),
        *("/healthz/", "/healthz/../v1/documents"),
    ],
)
def test_nothing_else_is_either(client: httpx.Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 401
    assert client.get(path, headers=HTML).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        lambda secret: {"authorization": f"Bearer {secret}"},
        lambda secret: {"authorization": f"bearer   {secret}"},
        lambda secret: {"x-api-key": secret},
    ],
    ids=["bearer", "bearer in small letters", "x-api-key"],
)
def test_a_key_lets_in(
    client: httpx.Client, guarded: Keyed, headers: Callable[[str], dict[str, str]]
) -> None:
    for path in ("/v1/documents", "/readyz", "/metrics", "/"):
        assert client.get(path, headers=headers(guarded.read)).status_code == 200


@pytest.mark.parametrize("wrong", ["nope", "pc_" + "x" * 43, "a b", "Bearer", "é"])
def test_a_wrong_key_is_told_from_none(client: httpx.Client, guarded: Keyed, wrong: str) -> None:
    for headers in ({"authorization": f"Bearer {wrong}"}, {"x-api-key": wrong}):
        encoded = {name: value.encode() for name, value in headers.items()}
        response = client.get("/v1/documents", headers=encoded)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert client.get("/v1/documents", headers={"authorization": f"Basic {guarded.read}"}).status_code == 401


def test_a_wrong_key_is_not_mended_by_a_right_one_elsewhere(client: httpx.Client, guarded: Keyed) -> None:
    headers = {**bearer("nope"), "x-api-key": guarded.read}
    assert client.get("/v1/documents", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/documents"),
        ("DELETE", "/v1/documents/x"),
        ("PUT", "/v1/anything"),
        ("PATCH", "/v1/documents/x"),
    ],
)
def test_a_reading_key_changes_nothing(client: httpx.Client, guarded: Keyed, method: str, path: str) -> None:
    refused = client.request(method, path, headers=bearer(guarded.read))
    assert refused.status_code == 403
    assert refused.json()["type"] == "urn:polycite:problem:scope-missing"
    assert 'scope="write"' in refused.headers["www-authenticate"]
    assert client.request(method, path, headers=bearer(guarded.write)).status_code not in (401, 403)


def test_a_reading_key_asks(client: httpx.Client, guarded: Keyed) -> None:
    body = {"query": "open data", "top_k": 1}
    assert client.post("/v1/search", json=body, headers=bearer(guarded.read)).status_code == 200


def test_keys_come_and_go_while_it_serves(client: httpx.Client, guarded: Keyed) -> None:
    """As `rag keys` does it, from another process."""
    elsewhere = KeyStore(guarded.store.path.parent)
    secret = elsewhere.add("for a while")
    assert client.get("/v1/documents", headers=bearer(secret)).status_code == 200
    assert client.get("/v1/documents", headers=bearer(guarded.read)).status_code == 200
    elsewhere.revoke("for a while")
    assert client.get("/v1/documents", headers=bearer(secret)).status_code == 401
    assert client.get("/v1/documents", headers=bearer(guarded.read)).status_code == 200


def test_keys_that_cannot_be_read_are_a_problem(client: httpx.Client, guarded: Keyed) -> None:
    content = guarded.store.path.read_text()
    guarded.store.path.write_text("{")
    try:
        response = client.get("/v1/documents", headers=bearer(guarded.read))
        assert (response.status_code, response.headers["content-type"]) == (503, "application/problem+json")
        assert client.get("/").status_code == 401
    finally:
        guarded.store.path.write_text(content)


def test_any_name_of_the_server_will_do_with_a_key_and_no_other_origin(
    client: httpx.Client, guarded: Keyed
) -> None:
    named = {**bearer(guarded.read), "host": "docs.example.org"}
    assert client.get("/v1/documents", headers=named).status_code == 200
    foreign = {**named, "origin": "https://evil.example"}
    assert client.get("/v1/documents", headers=foreign).status_code == 403


# -- with a browser


def sign_in(client: httpx.Client, secret: str) -> httpx.Response:
    own = f"{client.base_url.scheme}://{client.base_url.netloc.decode()}"
    return client.post("/login", data={"key": secret}, headers={"origin": own})


def test_a_browser_is_asked_for_the_key(client: httpx.Client) -> None:
    page = client.get("/", headers={**HTML, "accept-language": "sv-SE,sv;q=0.9"})
    assert page.status_code == 401
    assert page.headers["content-type"].startswith("text/html")
    assert '<form method=post action="/login">' in page.text
    assert "Logga in" in page.text
    assert "<script" not in page.text
    assert "http" not in page.text
    # With the policy of the other pages a browser would say that the form comes from nowhere.
    assert page.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(("site", "again"), [("cross-site", True), ("same-origin", False), ("none", False)])
def test_who_comes_by_a_link_of_another_site_is_asked_again(
    client: httpx.Client, site: str, again: bool
) -> None:
    """The browser keeps the cookie back at first, and only then."""
    page = client.get("/", headers={**HTML, "sec-fetch-site": site})
    assert ("http-equiv=refresh" in page.text) is again


@pytest.mark.parametrize("scope", ["read", "write"])
def test_signing_in_and_out(client: httpx.Client, guarded: Keyed, scope: str) -> None:
    secret = getattr(guarded, scope)
    entered = sign_in(client, secret)
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    for attribute in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age="):
        assert attribute in cookie
    assert "Secure" not in cookie, "this server is reached without TLS here"
    assert secret not in cookie
    # The page and what it asks for, with the cookie alone.
    for path in ("/", "/config", "/theme.css", "/gradio_api/info", "/v1/documents", "/docs"):
        assert client.get(path).status_code == 200, path
    assert "Signed in as" in client.get("/login").text
    token = client.cookies[COOKIE]
    left = client.post("/logout")
    assert (left.status_code, left.headers["location"]) == (303, "/login")
    assert COOKIE not in client.cookies
    assert client.get("/").status_code == 401
    assert client.get("/", headers={"cookie": f"{COOKIE}={token}"}).status_code == 401, (
        "ended, not only forgotten"
    )


def test_a_wrong_key_does_not_sign_in(client: httpx.Client) -> None:
    for wrong in ("nope", "", "x" * 10_000):
        page = sign_in(client, wrong)
        assert page.status_code == 401
        assert "role=alert" in page.text
        assert "set-cookie" not in page.headers
    assert client.post("/login", content=b"\xff\x00%zz").status_code == 401


def test_behind_tls_the_cookie_stays_there(client: httpx.Client, guarded: Keyed) -> None:
    headers = {"origin": "https://docs.example.org", "host": "docs.example.org"}
    entered = client.post("/login", data={"key": guarded.read}, headers=headers)
    assert "Secure" in entered.headers["set-cookie"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_another_sites_page_signs_nobody_in_or_out(client: httpx.Client, guarded: Keyed, origin: str) -> None:
    headers = {"origin": origin}
    assert client.post("/login", data={"key": guarded.read}, headers=headers).status_code == 403
    sign_in(client, guarded.read)
    assert client.post("/logout", headers=headers).status_code == 403
    assert client.get("/").status_code == 200


def test_a_session_ends_with_its_key(client: httpx.Client, guarded: Keyed) -> None:
    secret = guarded.store.add("for a session")
    sign_in(client, secret)
    assert client.get("/").status_code == 200
    guarded.store.revoke("for a session")
    assert client.get("/").status_code == 401


@pytest.mark.parametrize("cookie", ["", "x", "x" * 5000, f"; {COOKIE}=a", '"', "é"])
def test_a_made_up_cookie_opens_nothing(client: httpx.Client, cookie: str) -> None:
    assert client.get("/", headers={"cookie": f"{COOKIE}={cookie}".encode()}).status_code == 401


def test_other_cookies_do_not_hide_the_session(client: httpx.Client, guarded: Keyed) -> None:
    token = sign_in(client, guarded.read).cookies[COOKIE]
    client.cookies.clear()
    mixed = {"cookie": f'other="; bad=[; {COOKIE}={token}; more=1'}
    assert client.get("/", headers=mixed).status_code == 200


@pytest.mark.parametrize(("name", "expected"), [("read", "read"), ("write", "write")])
def test_the_scope_of_a_request_is_that_of_its_key(
    assistant: Assistant, seed_settings: RagSettings, tmp_path: Path, name: str, expected: str
) -> None:
    from rag.api import create_app

    store = KeyStore(tmp_path)
    secret = store.add("one", scope=name)  # type: ignore[arg-type]
    app = create_app(assistant, seed_settings, keys=store)
    app.get("/scope")(_scope)
    with TestClient(app, base_url=HERE, follow_redirects=False) as inside:
        assert inside.get("/scope", headers=bearer(secret)).json() == expected
        assert sign_in(inside, secret).status_code == 303, "and of its session"
        assert inside.get("/scope").json() == expected


def _scope(request: Request) -> str:
    return scope_of(request)


# -- without keys


def test_without_keys_everything_is_as_before(
    assistant: Assistant, seed_settings: RagSettings, tmp_path: Path
) -> None:
    from rag.api import create_app

    app = create_app(assistant, seed_settings, keys=KeyStore(tmp_path))
    app.get("/scope")(_scope)
    with TestClient(app, base_url=HERE, follow_redirects=False) as inside:
        assert inside.get("/v1/documents").status_code == 200
        assert inside.get("/scope").json() == "write"
        assert inside.get("/login").headers["location"] == "/"
        assert inside.get("/healthz", headers={"host": "rebound.example"}).status_code == 421
        KeyStore(tmp_path).add("one")
        assert inside.get("/v1/documents").status_code == 401, "from the first key on"


def test_beyond_this_machine_a_key_is_needed_even_when_none_is_left(
    assistant: Assistant, seed_settings: RagSettings, tmp_path: Path
) -> None:
    from rag.api import create_app

    settings = seed_settings.model_copy(update={"host": "0.0.0.0"})  # noqa: S104 - what is tested
    with TestClient(
        create_app(assistant, settings, keys=KeyStore(tmp_path, required=True)), base_url=HERE
    ) as inside:
        assert inside.get("/v1/documents").status_code == 401
        assert inside.get("/healthz").status_code == 200


def test_the_names_that_the_settings_allow(
    assistant: Assistant, seed_settings: RagSettings, tmp_path: Path
) -> None:
    from rag.api import create_app

    settings = seed_settings.model_copy(update={"public_hosts": ("docs.example.org",)})
    store = KeyStore(tmp_path)
    headers = bearer(store.add("one"))
    with TestClient(create_app(assistant, settings, keys=store), base_url=HERE) as inside:
        for host, status in (("docs.example.org", 200), ("DOCS.example.org:443", 200), ("evil.example", 421)):
            assert inside.get("/v1/documents", headers={**headers, "host": host}).status_code == status


def test_the_openapi_document_says_how_to_bring_a_key(client: httpx.Client, guarded: Keyed) -> None:
    openapi = client.get("/openapi.json", headers=bearer(guarded.read)).json()
    assert set(openapi["components"]["securitySchemes"]) == {"bearer", "header"}
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            assert ("401" in operation["responses"]) == (path != "/healthz"), (method, path)
    assert "403" not in openapi["paths"]["/v1/ask"]["post"]["responses"]
    assert json.dumps(openapi).count("securitySchemes") == 1
