"""A home of the user's in which everything that is read leads astray: what works all the same has read none of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

_NOWHERE = "http://127.0.0.1:1"
_CONTEXT = f".docker/contexts/meta/{hashlib.sha256(b'nowhere').hexdigest()}/meta.json"
_FILES = {
    ".docker/config.json": json.dumps(
        {"currentContext": "nowhere", "credsStore": "nowhere", "proxies": {"default": {"httpProxy": _NOWHERE}}}
    ),
    _CONTEXT: json.dumps({"Name": "nowhere", "Metadata": {}, "Endpoints": {"docker": {"Host": "tcp://127.0.0.1:1"}}}),
    ".gitconfig": f"""\
[commit]
\tgpgSign = true
[user]
\tname = Nobody
\temail = nobody@nowhere.example
\tsigningKey = /nowhere/key
[url "{_NOWHERE}/"]
\tinsteadOf = http://127.0.0.1:
[core]
\thooksPath = /nowhere/hooks
\tautocrlf = true
[http]
\tproxy = {_NOWHERE}
[protocol]
\tallow = never
""",
    ".prefect/profiles.toml": f'active = "nowhere"\n\n[profiles.nowhere]\nPREFECT_API_URL = "{_NOWHERE}/api"\n',
    ".aws/config": f"[default]\nregion = nowhere-1\nendpoint_url = {_NOWHERE}\ncredential_process = /bin/false\n",
    ".aws/credentials": "[default]\naws_access_key_id = nobody\naws_secret_access_key = nothing\n",
    ".netrc": "default login nobody password nothing\n",
}


@dataclass(frozen=True, slots=True)
class UsersHome:
    """The home in `folder`."""

    folder: Path

    @classmethod
    def made(cls, folder: Path) -> UsersHome:
        """A home with a configuration for all that a stack uses."""
        for name, text in _FILES.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        return cls(folder)

    def variables(self) -> dict[str, str]:
        """What the user's shell would say of it."""
        return {
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / ".config"),
            "DOCKER_CONFIG": str(self.folder / ".docker"),
            "DOCKER_CONTEXT": "nowhere",
            "GIT_CONFIG_GLOBAL": str(self.folder / ".gitconfig"),
            "GIT_DIR": "/nowhere/.git",
            "PREFECT_HOME": str(self.folder / ".prefect"),
            "PREFECT_API_URL": f"{_NOWHERE}/api",
            "PREFECT_API_KEY": "nothing",
            "AWS_PROFILE": "default",
            "AWS_CONFIG_FILE": str(self.folder / ".aws" / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.folder / ".aws" / "credentials"),
            "AWS_ENDPOINT_URL": _NOWHERE,
        }

    def changed(self) -> set[str]:
        """The files in it that are not as they were, new and lost ones included."""
        found = {str(file.relative_to(self.folder)): file for file in self.folder.rglob("*") if not file.is_dir()}
        same = {name for name, file in found.items() if name in _FILES and file.read_bytes() == _FILES[name].encode()}
        return (found.keys() | _FILES.keys()) - same
