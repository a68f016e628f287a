"""Signed commits: verified before the push and on the remote after it, and refused where they are not ours."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from argosy import notes, trailers
from argosy.errors import Terminal, Transient
from argosy.gitops.commit_objects import extracted
from argosy.gitops.commits import Draft, Identity, commit
from argosy.gitops.signing import Signing, SigningKey, Unverified
from argosy.gitops.ssh_signatures import SshKey
from argosy.holds import holding
from argosy.models import Hold
from deployments.local.signing import SigningKey as Pair
from tests.engine.shop import Shop, run
from tests.engine.target import NOW, Target

EMAIL = "argosy@example.com"


@pytest.fixture(scope="module")
def pair() -> Pair:
    return Pair.generate()


@pytest.fixture
def signed(shop: Shop, tmp_path: Path, pair: Pair) -> Target:
    """A target whose commits are signed."""
    return Target(shop, tmp_path / "home", by(pair))


def by(pair: Pair | None) -> Identity:
    return Identity("Argosy", EMAIL, SigningKey(pair.private) if pair else None)


def trusts(folder: Path, pair: Pair, repository: Path, name: str) -> bool:
    """Whether git, told of the key by its public half alone, verifies that commit of the remote's."""
    (folder / "signers").write_text(pair.allowed_signers(EMAIL))
    settings = ["-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={folder / 'signers'}"]
    command = ["git", "-C", str(repository), *settings, "verify-commit", name]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def forged(target: Target, who: Identity) -> str:
    """The commit that the run is about to make, made and pushed by somebody else; its SHA."""
    source, release = target.shop.head, target.release()
    text = f'image:\n  repository: {release.reference.repository}\n  tag: "{source}"\n'
    message = trailers.message("dev", source, [release], "run-1")
    draft = Draft(source, {"src/ui/chart/values-dev.yaml": text.encode()}, message, who, NOW)
    with Signing(who.signing_key) as signing:
        made = commit(target.mirror.git, draft, signing)
    target.mirror.push(made, "refs/heads/main", source)
    return made


def test_a_signed_commit_verifies_and_the_key_is_nowhere_on_disk(signed: Target, tmp_path: Path, pair: Pair) -> None:
    assert signed.writer.write_back(signed.shop.head, [signed.release()]).commit
    assert trusts(tmp_path, pair, signed.shop.origin, "main")
    secret = pair.private.get_secret_value().splitlines()[2]
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and secret in path.read_text(errors="ignore")]


def test_holds_and_verdicts_are_signed_as_releases_are(signed: Target, tmp_path: Path, pair: Pair) -> None:
    holding.put(signed.writer, [Hold("ui", "dev", "it limps", "Ann", NOW)])
    signed.writer.record({signed.shop.head: ['{"a": 1}']})
    assert trusts(tmp_path, pair, signed.shop.origin, "main")
    assert trusts(tmp_path, pair, signed.shop.origin, notes.ref("dev"))


@pytest.mark.parametrize(
    ("who", "why"),
    [(lambda: by(None), "it is not signed"), (lambda: by(Pair.generate()), "it is signed with another key")],
)
def test_a_commit_in_our_name_that_we_did_not_sign_is_not_taken_for_ours(
    signed: Target, who: Callable[[], Identity], why: str
) -> None:
    source, release = signed.shop.head, signed.release()
    made = forged(signed, who())
    with pytest.raises(Unverified, match=f"{made[:12]} of ours cannot be accepted: {why}"):
        signed.writer.write_back(source, [release])
    assert len(signed.log()) == 2


def test_where_nothing_is_to_be_signed_the_same_commit_is_taken_for_ours(target: Target) -> None:
    source, release = target.shop.head, target.release()
    made = forged(target, by(None))
    assert target.writer.write_back(source, [release]).commit == made


def test_a_signature_over_something_else_does_not_hold(signed: Target, pair: Pair) -> None:
    git, head = signed.mirror.git, signed.shop.head
    with Signing(SigningKey(pair.private)) as signing:
        made = commit(git, Draft(head, {"a": b"1"}, "Good\n", by(pair), NOW), signing)
        changed = git.run("cat-file", "commit", made).replace(b"Good\n", b"Evil\n")
        evil = git.text("hash-object", "-t", "commit", "-w", "--stdin", data=changed)
        signing.verify(git, made)
        with pytest.raises(Unverified, match="cannot be accepted: its signature does not fit it"):
            signing.verify(git, evil)


@pytest.mark.parametrize("spoilt", [lambda _: Pair.generate().private, lambda key: key])
def test_a_commit_whose_signature_is_not_the_keys_over_it_is_not_pushed(
    signed: Target, pair: Pair, monkeypatch: pytest.MonkeyPatch, spoilt: Callable[[SecretStr], SecretStr]
) -> None:
    other = SshKey.load(spoilt(pair.private))
    sign = other.sign
    # The rehearsal is signed as it should be, and then another key signs, or this one something else.
    real, calls = SshKey.load(pair.private).sign, itertools.count()
    monkeypatch.setattr(SshKey, "sign", lambda _, data: sign(data + b"x") if next(calls) else real(data))
    with pytest.raises(Unverified, match="cannot be accepted: it"):
        signed.writer.write_back(signed.shop.head, [signed.release()])
    assert signed.log() == ["Open the shop"]


@pytest.mark.parametrize(
    "kind",
    ["-t ed25519", "-t ecdsa -b 256", "-t ecdsa -b 384", "-t ecdsa -b 521", "-t rsa -b 2048", "-t rsa -b 2048 -m PEM"],
)
def test_every_kind_of_key_signs_what_git_verifies_by_the_public_half_alone(
    shop: Shop, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", *kind.split(), "-N", "", "-C", "", "-f", str(file)], check=True)
    pair = Pair(SecretStr(file.read_text()), file.with_suffix(".pub").read_text().strip())
    other = Pair.generate()
    with Signing(SigningKey(pair.private)) as signing:
        for number in range(3):  # the numbers of an ECDSA signature are a byte longer now and then
            made = commit(shop.git, Draft(shop.head, {"a": b"1"}, f"{number}\n", by(pair), NOW), signing)
            assert trusts(tmp_path, pair, shop.path, made)
            assert not trusts(tmp_path, other, shop.path, made)


def test_a_signed_commit_is_the_unsigned_one_with_a_signature(shop: Shop, pair: Pair) -> None:
    strange = Identity(" Ann <Lee>,", " <ann@example.com>", SigningKey(pair.private))
    draft = Draft(shop.head, {"a": b"1"}, "Say: \udcff\n\ngpgsig none\n\n", strange, NOW)
    with Signing(None) as nobody, Signing(strange.signing_key) as signing:
        texts = [shop.git.run("cat-file", "commit", commit(shop.git, draft, each)) for each in (nobody, signing)]
        first = commit(shop.git, replace(draft, parent=None, files={}, trees={"": shop.git.text("mktree")}), signing)
    unsigned, signature = extracted(texts[1])
    assert unsigned == texts[0]
    assert signature.startswith("-----BEGIN SSH SIGNATURE-----\n")
    assert extracted(unsigned) == (unsigned, "")
    assert shop.git.text("rev-list", "--parents", "-1", first) == first


@pytest.mark.parametrize("text", ["", "hush", "-----BEGIN OPENSSH PRIVATE KEY-----\nhush\n"])
def test_what_is_no_key_is_refused_in_words_that_do_not_quote_it(shop: Shop, text: str) -> None:
    with (
        pytest.raises(Terminal, match=r"could not be signed.*OpenSSH's format") as caught,
        Signing(SigningKey(SecretStr(text))) as signing,
    ):
        signing.verify(shop.git, shop.head)
    assert "hush" not in str(caught.value)


def test_a_commit_that_the_remote_loses_right_after_the_push_is_no_release(signed: Target) -> None:
    source = signed.shop.head
    signed.hook("post-receive", f"git update-ref refs/heads/main {source}")
    with pytest.raises(Transient, match="was set back right after our push"):
        signed.writer.write_back(source, [signed.release()])
    (signed.shop.origin / "hooks/post-receive").unlink()
    assert signed.writer.write_back(source, [signed.release()]).released == ("ui",)


def test_a_commit_that_somebody_builds_upon_at_once_is_still_ours(signed: Target) -> None:
    who = "GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a"
    follow = f"{who} git commit-tree -p main -m Follow 'main^{{tree}}'"
    signed.hook("post-receive", f'git update-ref refs/heads/main "$({follow})"')
    written = signed.writer.write_back(signed.shop.head, [signed.release()])
    assert (signed.log()[0], written.attempts) == ("Follow", 1)
    assert run("-C", str(signed.shop.origin), "rev-parse", "main~1") == written.commit


def test_a_key_behind_a_passphrase_is_refused_in_words(signed: Target, tmp_path: Path) -> None:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "open sesame", "-f", str(tmp_path / "locked")]
    subprocess.run(command, check=True)
    key = SigningKey(SecretStr((tmp_path / "locked").read_text()))
    writer = replace(signed.writer, identity=Identity("Argosy", EMAIL, key))
    with pytest.raises(Terminal, match=r"could not be signed.*without a passphrase"):
        writer.write_back(signed.shop.head, [signed.release()])
    assert signed.log() == ["Open the shop"]
