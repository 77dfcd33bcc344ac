import pytest

from socialsupport_core.text.tlds import leading_domain, top_level_domains


def test_the_table_is_the_root_zone() -> None:
    domains = top_level_domains()
    assert len(domains) == 1437
    assert {"com", "jp", "museum", "рф", "みんな", "پاکستان"} <= domains
    assert not {"example", "invalid", "local", "txt", "html"} & domains
    assert all(domain == domain.lower() and not domain.startswith("xn--") for domain in domains)


@pytest.mark.parametrize(
    ("label", "domain"),
    [
        ("com", "com"),
        ("COM/", "COM"),
        ("com中国", "com"),
        ("みんなです", "みんな"),
        ("community", "community"),
        ("communities", None),
        ("com-", None),
        ("com@", None),
        ("co7", None),
        ("x", None),
        ("", None),
    ],
)
def test_a_label_starts_with_a_domain(label: str, domain: str | None) -> None:
    assert leading_domain(label) == domain
