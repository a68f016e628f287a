"""A remote repository: its address, and its login for the git processes that talk to it."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from argosy.errors import Terminal
from argosy.processes.secret_files import secret_file

# git hands this to a shell of its own; the file that it reads is in memory, and ends with the transfer.
_HELPER = '!f() { test "$1" = get && cat "$ARGOSY_LOGIN"; }; f'


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository's address, without credentials in it, and the credentials it wants over HTTP."""

    url: str
    username: str | None = None
    password: SecretStr | None = None

    @contextmanager
    def access(self) -> Iterator[dict[str, str]]:
        """What the environment of a git process that talks to this remote needs, for as long as the block lasts.

        The password itself is not in it, and no other server than this remote's is told it. Raises Terminal for a
        login that git's protocol cannot carry.
        """
        if self.password is None:
            yield {}
            return
        user, password = self._login(self.password)
        with secret_file(SecretStr(f"username={user}\npassword={password}\n")) as login:
            helper = {"credential.helper": "", f"credential.{self._server}.helper": _HELPER}
            yield {**_configured(helper), "ARGOSY_LOGIN": str(login)}

    @contextmanager
    def access_at_once(self) -> Iterator[dict[str, str]]:
        """The same, but that git sends the login with its first request: it asks none twice, and runs no helper.

        It follows no redirection then, and says "error: 301" or the like: libcurl keeps the login from the server that
        it is sent to, but git asks that one more, and would tell it.
        """
        if self.password is None or not self.url.startswith(("https://", "http://")):
            with self.access() as extra:
                yield extra
            return
        word = b64encode(":".join(self._login(self.password)).encode()).decode()
        text = f'[http "{self._server}/"]\n\textraHeader = "Authorization: Basic {word}"\n'
        with secret_file(SecretStr(text)) as login:
            yield _configured({"credential.helper": "", "http.followRedirects": "false", "include.path": str(login)})

    @property
    def _server(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}".replace("\\", "").replace('"', "")  # a host has neither

    def _login(self, given: SecretStr) -> tuple[str, str]:
        user, password = (self.username or "").strip(), given.get_secret_value().strip("\r\n")
        if re.search(r"[\r\n\0]", user + password):
            raise Terminal(
                "the login of the GitOps repository holds a line break", remedy="paste the user and the token once more"
            )
        return user, password


def _configured(settings: dict[str, str]) -> dict[str, str]:
    """The environment that gives git these settings, beside those of its files."""
    found = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return found
