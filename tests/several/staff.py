"""Staff who use the admin of a running site, as their browser would."""

from __future__ import annotations

import re
import time
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

PAGE = "/admin/voice/voicelivesettings/1/change/"


class Staff:
    """Somebody who is logged in at ``url``, the address of one process."""

    def __init__(self, url: str, name: str, password: str) -> None:
        self._url = url
        self._browser = build_opener(HTTPCookieProcessor(CookieJar()))
        self._send("/admin/login/", username=name, password=password, next=PAGE)

    def switch(self, on: bool) -> float:
        """Flip the switch; when the request was sent, on the monotonic clock."""
        sent_at = time.monotonic()
        page = self._send(PAGE, percent="100", reason="a test", **({"enabled": "on"} if on else {}))
        assert "errornote" not in page, page
        return sent_at

    def delete_user(self, pk: int) -> float:
        """Delete an account; when the request was sent, on the monotonic clock."""
        sent_at = time.monotonic()
        page = self._send(f"/admin/auth/user/{pk}/delete/", post="yes")
        assert "errornote" not in page, page
        return sent_at

    def _send(self, path: str, **form: str) -> str:
        with self._browser.open(self._url + path, timeout=10) as response:
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', response.read().decode())
        assert token is not None
        sent = urlencode({"csrfmiddlewaretoken": token[1], **form}).encode()
        with self._browser.open(self._url + path, sent, timeout=10) as response:
            return str(response.read().decode())
