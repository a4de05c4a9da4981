"""A server that asks for keys: `from keyed import Keyed, bearer, sign_in`; the fixture is `guarded`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
from fastapi.testclient import TestClient

from rag.keys import KeyStore

if TYPE_CHECKING:
    from fastapi import FastAPI


class Keyed:
    """An application, its keys, and two of their secrets."""

    def __init__(self, app: FastAPI, store: KeyStore, read: str, write: str) -> None:
        self.app, self.store, self.read, self.write = app, store, read, write


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def sign_in(client: httpx.Client | TestClient, secret: str) -> Any:
    """The response to the form of /login, of whichever library the client is."""
    own = f"{client.base_url.scheme}://{client.base_url.netloc.decode()}"
    return client.post("/login", data={"key": secret}, headers={"origin": own})
