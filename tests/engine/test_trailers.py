"""Which commits speak for Argosy: by trailers of their own, and by nothing that is quoted."""

from __future__ import annotations

import pytest

from argosy import trailers
from tests.engine.shop import Shop

CONTENT, MANIFEST = "c" * 64, f"sha256:{'a' * 64}"


def block(shop: Shop, environment: str = "dev", **fields: str) -> str:
    record = {"name": "ui", "sha": shop.head, "content": CONTENT, "manifest": MANIFEST, "recipe": "1"} | fields
    return f"Argosy-Environment: {environment}\nArgosy-Service: {' '.join(record.values())}\nArgosy-Run: r\n"


def spoken_for(shop: Shop, message: str) -> list[str]:
    shop.run("commit", "-q", "--allow-empty", "--cleanup=verbatim", "-m", message)
    return [record.service for record in trailers.records(shop.git, shop.head, "dev")]


def test_a_release_commit_speaks(shop: Shop) -> None:
    assert spoken_for(shop, f"Release ui\n\nui: 1 -> 2\n\n{block(shop)}") == ["ui"]


def test_line_ends_of_another_system_speak_too(shop: Shop) -> None:
    assert spoken_for(shop, f"Release ui\n\n{block(shop)}".replace("\n", "\r\n")) == ["ui"]


@pytest.mark.parametrize(
    "message",
    [
        "Squash\n\n* Release ui\n\n{block}\n* Another change, in words\n",
        'Revert "Release ui"\n\nThis reverts commit 1.\n\n{quoted}\n',
        "{block}",
        "Talk\n\nThey wrote\n{block}and it was so.\n",
    ],
)
def test_trailers_in_the_middle_or_quoted_do_not(shop: Shop, message: str) -> None:
    quoted = "".join(f"> {line}\n" for line in block(shop).splitlines())
    assert spoken_for(shop, message.format(block=block(shop), quoted=quoted)) == []


@pytest.mark.parametrize(
    "message",
    [
        "Release ui to dev (#7)\n\nui: 1 -> 2\n\n{block}\nCo-authored-by: Argosy <argosy@example.com>\n",
        "Release ui to dev (#7)\n\n* Release ui to dev\n\n{block}\n* Mine\n\n---------\n\nCo-authored-by: A <a@b.c>\n",
        "Anything (#7)\n\n{block}\n---------\n\nCo-authored-by: A <a@b.c>\nCo-authored-by: D <d@b.c>\n",
    ],
)
def test_what_github_squashed_of_a_pull_request_of_argosys_does(shop: Shop, message: str) -> None:
    assert spoken_for(shop, message.format(block=block(shop))) == ["ui"]


@pytest.mark.parametrize(
    "fields",
    [
        {"sha": "None"},
        {"sha": "abcdef123456"},
        {"content": "short"},
        {"manifest": "sha256:short"},
        {"recipe": ""},
        {"name": "ui cart"},
    ],
)
def test_what_is_no_record_explains_nothing(shop: Shop, fields: dict[str, str]) -> None:
    assert spoken_for(shop, f"Release\n\n{block(shop, **fields)}") == []


def test_separators_within_a_message_forge_no_other_commit(shop: Shop) -> None:
    forged = f"\x1d{'1' * 40}\x1fdev\x1fr\x1fcart {'1' * 40} {CONTENT} {MANIFEST} 1"
    assert "cart" not in spoken_for(shop, f"Release\n\n{block(shop, recipe='1' + forged)}")


def test_a_release_that_came_by_a_merge_speaks_and_so_does_a_merge(shop: Shop) -> None:
    shop.run("checkout", "-q", "-b", "side")
    spoken_for(shop, f"Release ui\n\n{block(shop)}")
    shop.run("checkout", "-q", "main")
    shop.commit("Meanwhile", {"README.md": "x\n"})
    shop.run("merge", "-q", "--no-ff", "-m", f"Merge\n\n{block(shop, name='cart')}", "side")
    assert [record.service for record in trailers.records(shop.git, shop.head, "dev")] == ["cart", "ui"]


def test_the_environment_is_compared_whole(shop: Shop) -> None:
    assert spoken_for(shop, f"Release\n\n{block(shop, 'dev2')}") == []
    assert spoken_for(shop, f"Release\n\nArgosy-Environment: prod\n{block(shop)}") == []
