"""nginx with the configuration that is shipped, in a folder of its own, on ports that anybody may open.

What is changed is where things are: ports, certificate, logs, challenges, and the server processes' sockets.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from django.conf import settings

from tests import ports

START_LIMIT = 20.0
_MAIN = """\
pid {folder}/nginx.pid;
error_log {folder}/nginx.error.log;
{user}
daemon off;
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{ours}
}}
"""


@dataclass(frozen=True)
class Nginx:
    """A running one."""

    port: int
    """With TLS."""
    plain_port: int
    authority: Path
    """Who signed its certificate, for ``localhost``."""
    folder: Path

    def access_log(self) -> str:
        """In the form that the configuration describes."""
        return (self.folder / "voice.access.log").read_text()

    def logs(self) -> str:
        """All that it has written."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")))


def program() -> str:
    """Its path. Skips the test where it is not installed."""
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip("nginx is not installed")
    return found


def command(folder: Path, port: int, plain_port: int, sockets: Mapping[str, str]) -> list[str]:
    """Prepare ``folder`` and return what runs nginx there. ``sockets`` are put in the place of those in the file."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_pem.write_to_path(str(folder / "privkey.pem"))
    for pem in certificate.cert_chain_pems:
        pem.write_to_path(str(folder / "fullchain.pem"), append=True)
    ours = (Path(settings.BASE_DIR) / "project/deploy/nginx.conf").read_text()
    moved = "/etc/letsencrypt/live/www.example.org", "/var/log/nginx", "/var/www/html"
    places = {**dict.fromkeys(moved, str(folder)), **sockets}
    for there, here in places.items():
        assert there in ours
        ours = ours.replace(there, here)
    ours = re.sub(r" +listen \[::\]:[^;]+;\n", "", ours)
    ours = re.sub(r"listen 443\b", f"listen 127.0.0.1:{port}", ours)
    ours = re.sub(r"listen 80\b", f"listen 127.0.0.1:{plain_port}", ours)
    # Its workers give up root's rights, and could not enter the folder of root's tests any more.
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder, ours=ours, user=user))
    return [program(), "-e", str(folder / "nginx.error.log"), "-p", str(folder), "-c", str(folder / "nginx.conf")]


@contextmanager
def running(folder: Path, sockets: Mapping[str, str]) -> Iterator[Nginx]:
    """Start it, and stop it at the end."""
    nginx = Nginx(ports.free(), ports.free(), folder / "authority.pem", folder)
    process = subprocess.Popen(command(folder, nginx.port, nginx.plain_port, sockets))
    try:
        ports.wait(nginx.port, START_LIMIT)
        yield nginx
    finally:
        process.terminate()
        process.wait(START_LIMIT)
