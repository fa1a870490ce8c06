"""Any head over any mapped document, tried in a browser with the policy in force: by pointer, by keys, by controls."""

import pytest
from browsing import opened

PREVIOUS = "previous"


@pytest.fixture(scope="module")
def shown():
    """The strongest head that looks at the token before, by construction."""
    from invented_classifier import classifier

    return next(head for head in classifier()[0].analyses["attention"].mapped_heads if head.name == PREVIOUS)


@pytest.fixture
def page(browser, report):
    with opened(browser, report("classifier"), laid_out=False) as (page, complaints):
        yield page
    assert complaints == []


def choose(page, head):
    page.locator("[name=layer]").select_option(str(head.layer))
    page.locator("[name=head]").select_option(str(head.head))


def reading(page):
    return page.locator(".reading").inner_text()


def texts(page):
    return page.locator(".tokens [role=option]").all_inner_texts()


def test_a_token_says_where_it_looks_when_pointed_at(page, shown):
    choose(page, shown)
    tokens = page.locator(".tokens [role=option]")
    tokens.nth(4).hover()
    before, own = texts(page)[3:5]
    assert reading(page) == f"Layer {shown.layer}, head {shown.head}: “{own}” attends most to “{before}” 1.00."
    assert tokens.nth(3).get_attribute("class") == "heat-7"
    assert page.locator(".tokens [class^=heat-]").count() == 1


def test_arrows_walk_along_the_tokens_which_are_one_tab_stop(page, shown):
    choose(page, shown)
    tokens = page.locator(".tokens [role=option]")
    assert page.locator(".tokens [tabindex='0']").count() == 1
    tokens.nth(1).focus()
    for key, at in (("ArrowRight", 2), ("ArrowDown", 3), ("ArrowLeft", 2), ("Home", 0), ("End", tokens.count() - 1)):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.textContent") == texts(page)[at]
        assert tokens.nth(at).get_attribute("aria-selected") == "true"
        assert f"“{texts(page)[at]}” attends most to" in reading(page)
    page.keyboard.press("ArrowRight")
    assert tokens.nth(tokens.count() - 1).get_attribute("tabindex") == "0"
    page.keyboard.press("Tab")
    assert page.locator(".tokens :focus").count() == 0


def test_the_buttons_go_through_all_heads_and_round(page):
    page.locator("[name=on]").click()
    assert reading(page).startswith("Layer 0, head 1:")
    for _ in range(2):
        page.locator("[name=back]").click()
    assert reading(page).startswith("Layer 3, head 11:")
    assert page.locator("[name=layer]").input_value() == "3"


def test_another_document_brings_its_own_tokens(page):
    before = texts(page)
    page.locator("[name=document]").select_option("1")
    assert texts(page) != before
    assert page.locator(".tokens [aria-selected=true]").count() == 1


def test_the_live_region_and_the_controls_have_names(page):
    assert page.locator(".reading").get_attribute("role") == "status"
    for label in ("Document", "Layer", "Head"):
        assert page.locator(".explorer").get_by_role("combobox", name=label, exact=True).count() == 1
    assert page.get_by_role("listbox", name="Tokens of the document").count() == 1


def test_without_the_script_the_explorer_is_not_there(browser, report):
    with opened(browser, report("classifier"), java_script_enabled=False) as (page, _):
        assert not page.locator(".explorer").is_visible()
        assert page.locator(".maps svg").first.is_visible()


def test_nothing_is_wider_than_a_narrow_window(browser, report):
    with opened(browser, report("classifier"), width=360) as (page, complaints):
        assert page.locator(".explorer").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert complaints == []
