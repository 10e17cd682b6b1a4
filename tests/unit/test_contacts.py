"""The one form of an address, and which of those that a provider has verified is taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from barberpro.domain.accounts.federated import shown_by
from barberpro.protocol.accounts import Email

EMAIL: TypeAdapter[str] = TypeAdapter(Email)


@pytest.mark.parametrize(
    ("written", "form"),
    [
        (" Asha@Example.COM ", "asha@example.com"),
        ("\uff41sha@example.com", "asha@example.com"),
        ("asha@b\u00fccher.de", "asha@xn--bcher-kva.de"),
        ("asha@B\u00dcCHER.de", "asha@xn--bcher-kva.de"),
        ("asha@XN--BCHER-KVA.de", "asha@xn--bcher-kva.de"),
        ("stra\u00dfe@example.com", "stra\u00dfe@example.com"),  # another mailbox than strasse
        ("e\u0301va@example.com", "\u00e9va@example.com"),
        ("\u0939\u093f\u0928\u094d\u0926\u0940@example.com", "\u0939\u093f\u0928\u094d\u0926\u0940@example.com"),
    ],
)
def test_an_address_has_one_form(written: str, form: str) -> None:
    assert EMAIL.validate_python(written) == form


@pytest.mark.parametrize(
    "hidden",
    ["\u3164", "\u115f", "\u034f", "\ufe0f", "\u2800", "\u180b", "\U000e0100", "\u200b", "\u202e", "\u00ad"],
    ids=ascii,
)
def test_what_cannot_be_seen_is_in_no_address(hidden: str) -> None:
    for text in (f"a{hidden}sha@example.com", f"{hidden}@example.com", f"asha@exam{hidden}ple.com"):
        with pytest.raises(ValidationError):
            EMAIL.validate_python(text)


@pytest.mark.parametrize(
    "text", ["\u0301asha@example.com", "a.\u0301b@example.com", "a@-b.example", "a@b_c.example", "a@xn--zzzzzz.example"]
)
def test_a_mark_that_stands_on_nothing_and_a_domain_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        EMAIL.validate_python(text)


@given(st.text(max_size=20), st.text(st.characters(codec="utf-8", exclude_characters="@"), min_size=1, max_size=20))
def test_whatever_is_written_the_form_of_a_form_is_itself(local: str, domain: str) -> None:
    try:
        form = EMAIL.validate_python(f"{local}@{domain}.example")
    except ValidationError:
        return
    assert EMAIL.validate_python(form) == form
    assert form.rpartition("@")[2].isascii()


def test_a_providers_address_is_taken_only_as_we_write_it_but_for_ascii_capitals() -> None:
    def contacts(email: object) -> list[str]:
        shown = shown_by({"sub": "s", "email": email, "email_verified": True})
        return [contact.text for contact in shown.contacts]

    assert contacts("Asha@Example.com") == ["asha@example.com"]
    for other in ("\uff41sha@example.com", "asha@b\u00fccher.de", "\u00c9va@example.com", " asha@example.com", 7):
        assert contacts(other) == []
