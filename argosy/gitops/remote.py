"""A remote repository: its address, and its login for the git processes that talk to it."""

from __future__ import annotations

import re
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
        parts = urlsplit(self.url)
        with secret_file(_login(self.username or "", self.password)) as login:
            yield {
                "GIT_CONFIG_COUNT": "2",
                "GIT_CONFIG_KEY_0": "credential.helper",
                "GIT_CONFIG_VALUE_0": "",
                "GIT_CONFIG_KEY_1": f"credential.{parts.scheme}://{parts.netloc}.helper",
                "GIT_CONFIG_VALUE_1": _HELPER,
                "ARGOSY_LOGIN": str(login),
            }


def _login(username: str, password: SecretStr) -> SecretStr:
    user, secret = username.strip(), password.get_secret_value().strip("\r\n")
    if re.search(r"[\r\n\0]", user + secret):
        raise Terminal(
            "the login of the GitOps repository holds a line break", remedy="paste the user and the token once more"
        )
    return SecretStr(f"username={user}\npassword={secret}\n")
