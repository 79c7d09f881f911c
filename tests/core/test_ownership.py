"""Ownership marks: names and values as ExternalDNS's documentation gives them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.ownership import MARKED_TYPES, Mark, MarkNames, is_encrypted


PLAIN = MarkNames()
WILD = MarkNames(wildcard="any")
PREFIX = MarkNames(prefix="xdns-")
SUFFIX = MarkNames(suffix="-xdns")
TYPED_PREFIX = MarkNames(prefix="%{record_type}-abc-.")
TYPED_SUFFIX = MarkNames(suffix="-.%{record_type}")

# names, host, record type, name of the mark (docs/registry/txt.md, and its tables by analogy)
NAMES = [
    (PLAIN, "www.ex.com", "CNAME", "cname-www.ex.com"),
    (PLAIN, "www.ex.com", "A", "a-www.ex.com"),
    (PLAIN, "www.ex.com", "AAAA", "aaaa-www.ex.com"),
    (PLAIN, "ex.com", "A", "a-ex.com"),
    (PLAIN, "a.b.ex.com", "A", "a-a.b.ex.com"),
    (WILD, "*.ex.com", "CNAME", "cname-any.ex.com"),
    (PLAIN, "*.ex.com", "A", "a-*.ex.com"),
    (PREFIX, "www.ex.com", "CNAME", "xdns-cname-www.ex.com"),
    (SUFFIX, "www.ex.com", "CNAME", "cname-www-xdns.ex.com"),
    (TYPED_PREFIX, "ex.com", "CNAME", "cname-abc-.ex.com"),
    (TYPED_PREFIX, "www.ex.com", "CNAME", "cname-abc-.www.ex.com"),
    (TYPED_PREFIX, "www.ex.com", "AAAA", "aaaa-abc-.www.ex.com"),
    (TYPED_SUFFIX, "www.ex.com", "CNAME", "www-.cname.ex.com"),
    (MarkNames(prefix="Txt."), "www.ex.com", "A", "txt.a-www.ex.com"),
    (MarkNames(prefix="txt-", wildcard="wild"), "*.ex.com", "A", "txt-a-wild.ex.com"),
    (MarkNames(prefix="foo"), "ex.com", "A", "fooa-ex.com"),
    (MarkNames(suffix="foo"), "ex.com", "AAAA", "aaaa-exfoo.com"),
    (MarkNames(prefix="foo.bar."), "ex.com", "CNAME", "foo.bar.cname-ex.com"),
    (MarkNames(suffix=".foo.bar.test"), "ex.com", "CNAME", "cname-ex.foo.bar.test.com"),
    (MarkNames(prefix="%{record_type}-foo"), "ex.com", "A", "a-fooex.com"),
    (MarkNames(suffix="foo-%{record_type}"), "ex.com", "A", "exfoo-a.com"),
    (MarkNames(suffix=".foo%{record_type}.bar"), "ex.com", "A", "ex.fooa.bar.com"),
    (MarkNames(prefix="bar.%{record_type}.foo."), "ex.com", "CNAME", "bar.cname.foo.ex.com"),
    *((PLAIN, "foo.ex.com", kind, f"{kind.lower()}-foo.ex.com") for kind in MARKED_TYPES),
]


@pytest.mark.parametrize(("names", "host", "record_type", "mark"), NAMES)
def test_name_of_a_mark(names: MarkNames, host: str, record_type: str, mark: str) -> None:
    """The mark stands where ExternalDNS 0.18 and newer puts it, and says what it covers."""
    assert names.name(host, record_type) == mark
    plain = host.replace("*", names.wildcard or "*")
    assert names.covered(mark) == (plain, record_type)


@pytest.mark.parametrize(
    ("names", "host", "record_type", "expected"),
    [
        (PLAIN, "www.ex.com", "CNAME", ("cname-www.ex.com", "www.ex.com")),
        (PLAIN, "www.ex.com", "AAAA", ("aaaa-www.ex.com",)),
        (WILD, "*.ex.com", "A", ("a-any.ex.com", "any.ex.com")),
        (PREFIX, "www.ex.com", "A", ("xdns-a-www.ex.com", "xdns-www.ex.com")),
        (SUFFIX, "www.ex.com", "A", ("a-www-xdns.ex.com", "www-xdns.ex.com")),
        (TYPED_SUFFIX, "www.ex.com", "A", ("www-.a.ex.com", "www-..ex.com")),
        # `a-www` would be the legacy mark of the host `a-www`; it is the newer mark of `www`.
        (PLAIN, "a-www.ex.com", "CNAME", ("cname-a-www.ex.com",)),
        (PLAIN, "x-www.ex.com", "CNAME", ("cname-x-www.ex.com", "x-www.ex.com")),
    ],
)
def test_candidates(
    names: MarkNames, host: str, record_type: str, expected: tuple[str, ...]
) -> None:
    """A record's mark is looked for in the newer format, then in the legacy one."""
    assert names.candidates(host, record_type) == expected


@pytest.mark.parametrize(
    ("names", "mark", "expected"),
    [
        (PLAIN, "www.ex.com", ("www.ex.com", "")),
        (PLAIN, "A-WWW.ex.com", ("www.ex.com", "A")),
        (PLAIN, "api-www.ex.com", ("api-www.ex.com", "")),
        (PREFIX, "www.ex.com", None),
        (PREFIX, "xdns-www.ex.com", ("www.ex.com", "")),
        (SUFFIX, "www.ex.com", None),
        (TYPED_PREFIX, "mx-abc-.ex.com", ("ex.com", "MX")),
        (PLAIN, "txt-foo.ex.com", ("txt-foo.ex.com", "")),
        (MarkNames(prefix="foo-%{record_type}-"), "foo--test.ex.com", ("test.ex.com", "")),
        (MarkNames(suffix="-%{record_type}-foo"), "test-a-foo.ex.com", ("test.ex.com", "A")),
        (MarkNames(suffix="-%{record_type}-foo"), "test--foo.ex.com", ("test.ex.com", "")),
    ],
)
def test_covered(names: MarkNames, mark: str, expected: tuple[str, str] | None) -> None:
    """A mark's name tells its record, or that it is no mark by these settings."""
    assert names.covered(mark) == expected


def test_prefix_and_suffix_exclude_each_other() -> None:
    """ExternalDNS refuses both at once, and so do we."""
    with pytest.raises(ValueError, match="not both"):
        MarkNames(prefix="a-", suffix="-b")


VALUE = (
    '"heritage=external-dns,external-dns/owner=homelab,'
    'external-dns/resource=httproute/media/jellyfin"'
)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (VALUE, Mark("homelab", "httproute/media/jellyfin")),
        (VALUE.strip('"'), Mark("homelab", "httproute/media/jellyfin")),
        (VALUE.replace("owner=home", 'owner=ho" "me'), Mark("homelab", "httproute/media/jellyfin")),
        ("heritage=external-dns,external-dns/owner=a", Mark("a")),
        ("external-dns/owner=a,heritage=external-dns", Mark("a")),
        ("heritage=external-dns,nonsense,external-dns/owner=a,x=1", Mark("a")),
        ("heritage=external-dns,external-dns/owner=a=b,external-dns/resource=", Mark("a=b")),
        (
            "heritage=external-dns,external-dns/owner=a,external-dns/dualstack=true",
            Mark("a", "", (("dualstack", "true"),)),
        ),
        ("heritage=other,external-dns/owner=a", None),
        ("heritage=external-dns,heritage=other,external-dns/owner=a", None),
        ("external-dns/owner=a", None),
        ("v=spf1 -all", None),
        ("", None),
    ],
)
def test_parse(content: str, expected: Mark | None) -> None:
    """A value is a mark only with ExternalDNS's heritage; what else it says is kept."""
    assert Mark.parse(content) == expected


def test_value_is_written_as_external_dns_writes_it() -> None:
    """Quotes included, keys in order, so that a zone can be given back unchanged."""
    assert Mark("homelab", "httproute/media/jellyfin").value == VALUE
    kept = Mark("a", "service/x/y", (("dualstack", "true"),)).value
    assert kept == (
        '"heritage=external-dns,external-dns/dualstack=true,'
        'external-dns/owner=a,external-dns/resource=service/x/y"'
    )


@pytest.mark.parametrize(
    ("content", "encrypted"),
    [
        ("A" * 120, True),
        (f'"{"Zm9v" * 30}"', True),
        (f'"{"Zm9v" * 40}" "{"Zm9v" * 20}YQ=="', True),
        ("Zm9v" * 21, False),
        ("v=spf1 include:_spf.example.com -all", False),
        ("A" * 121, False),
        ("google-site-verification=" + "A" * 100, False),
        (VALUE, False),
    ],
)
def test_what_external_dns_encrypts_is_known(content: str, *, encrypted: bool) -> None:
    """Base64 of at least what a nonce, a tag and an owner take; a key we do not have."""
    assert is_encrypted(content) == encrypted


WORD = st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True)


@given(WORD, WORD, WORD)
def test_value_reads_back(owner: str, namespace: str, name: str) -> None:
    """A mark that we wrote is the mark that we read."""
    mark = Mark(owner, f"httproute/{namespace}/{name}")

    assert Mark.parse(mark.value) == mark


@given(
    WORD,
    st.sampled_from(MARKED_TYPES),
    st.sampled_from([PLAIN, PREFIX, SUFFIX, TYPED_PREFIX, TYPED_SUFFIX]),
)
def test_a_marks_name_leads_back(first: str, record_type: str, names: MarkNames) -> None:
    """Whatever the affix, a mark's name leads back to the record it was made for."""
    host = f"{first}.example.com"

    assert names.covered(names.name(host, record_type)) == (host, record_type)
