"""All of twitter-text's conformance files, where they lie beside the repository.

They are X's, so they are not ours to copy; `x_cases.json` restates what matters in our own examples.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from socialsupport_core.text import (
    V1,
    V2,
    V3,
    Entity,
    Weights,
    cashtags,
    hashtags,
    is_hashtag,
    is_list,
    is_post,
    is_url,
    is_username,
    mentions,
    reply_to,
    urls,
    weigh,
)

FILES = Path(__file__).parents[3] / "shared" / "specs" / "twitter-text"

Find = Callable[[str], list[Entity]]
Check = Callable[[str], Any]


def texts(find: Find) -> Check:
    return lambda text: [entity.text for entity in find(text)]


def indexed(find: Find, name: str) -> Check:
    return lambda text: [{name: found.text, "indices": [found.start, found.end]} for found in find(text)]


def lists(text: str) -> Any:
    return [
        {"screen_name": found.text, "list_slug": found.list_slug, "indices": [found.start, found.end]}
        for found in mentions(text)
    ]


def weighed(weights: Weights) -> Check:
    def check(text: str) -> Any:
        found = weigh(text, weights)
        return {
            "weightedLength": found.length,
            "valid": found.valid,
            "permillage": found.permillage,
            "displayRangeStart": 0,
            "displayRangeEnd": found.display_end,
            "validRangeStart": 0,
            "validRangeEnd": found.valid_end,
        }

    return check


CHECKS: dict[str, dict[str, Check]] = {
    "extract.yml": {
        "mentions": texts(mentions),
        "mentions_with_indices": indexed(mentions, "screen_name"),
        "mentions_or_lists_with_indices": lists,
        "replies": reply_to,
        "urls": texts(urls),
        "urls_with_indices": indexed(urls, "url"),
        "urls_with_directional_markers": indexed(urls, "url"),
        "tco_urls_with_params": texts(urls),
        "hashtags": texts(hashtags),
        "hashtags_from_astral": texts(hashtags),
        "hashtags_with_indices": indexed(hashtags, "hashtag"),
        "cashtags": texts(cashtags),
        "cashtags_with_indices": indexed(cashtags, "cashtag"),
    },
    "validate.yml": {
        "tweets": lambda text: is_post(text, V1),  # the file keeps the limit of 140
        "usernames": is_username,
        "lists": is_list,
        "hashtags": is_hashtag,
        "urls": is_url,
        "urls_without_protocol": lambda text: is_url(text, require_protocol=False),
        "WeightedTweetsCounterTest": weighed(V2),
        "WeightedTweetsWithDiscountedEmojiCounterTest": weighed(V3),
        "UnicodeDirectionalMarkerCounterTest": weighed(V3),
    },
}


def load(name: str) -> dict[str, list[dict[str, Any]]]:
    yaml = pytest.importorskip("yaml")
    tests: dict[str, list[dict[str, Any]]] = yaml.safe_load((FILES / name).read_text(encoding="utf-8"))["tests"]
    return tests


def failures(name: str) -> Iterator[str]:
    for group, cases in load(name).items():
        for case in cases:
            found = CHECKS[name][group](case["text"])
            if found != case["expected"]:
                yield f"{group}: {case['description']}: {found!r} is not {case['expected']!r}"


@pytest.mark.skipif(not FILES.is_dir(), reason="twitter-text's conformance files are not beside the repository")
@pytest.mark.parametrize(("name", "cases"), [("extract.yml", 238), ("validate.yml", 97)])
def test_every_case_passes(name: str, cases: int) -> None:
    assert list(failures(name)) == []
    assert sum(map(len, load(name).values())) == cases
