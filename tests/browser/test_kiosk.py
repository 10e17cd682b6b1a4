"""A tablet at the door: paired by staff, it gives numbers, hands them to a phone, and forgets who stood there."""

import re

import pytest
import segno
from playwright.async_api import expect

from barberpro.domain import devices
from tests.support.axe import barriers
from tests.support.kiosks import Kiosk
from tests.support.phones import SIZE, WITHIN_MS, Phone, in_line
from tests.support.shops import VIA
from tests.support.stage import Stage


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that were drawn as QR codes, as they are drawn."""
    addresses: list[str] = []

    def drawing(address: str, error: str) -> segno.QRCode:
        addresses.append(address)
        return segno.make(address, error=error, micro=False)

    monkeypatch.setattr("barberpro.handlers.rest.qr_codes.segno.make_qr", drawing)
    return addresses


async def test_a_walk_in_takes_a_number_at_the_door_and_the_phone_that_reads_it_has_the_ticket(
    stage: Stage, drawn: list[str]
) -> None:
    await stage.shop.fill(stage.backstage, 2)
    kiosk = await Kiosk.of(stage)
    assert await barriers(kiosk.page) == []
    await kiosk.pair()
    assert kiosk.page.url == f"{stage.url}/kiosk/{stage.shop.shop_id}"
    await expect(kiosk.tile(0).locator(".how")).to_have_text("Barber 1")  # whose line is the shorter
    await expect(kiosk.tile(1).locator(".how")).to_have_text("2 people wait")
    assert await barriers(kiosk.page) == []
    await kiosk.tile(1).click()
    assert await barriers(kiosk.page) == []
    await kiosk.tile(0).click()
    await kiosk.part("take").click()
    await expect(kiosk.part("problem")).to_have_text("Choose at least one.")
    await kiosk.page.click("#choose .back")
    await kiosk.take(0)
    await expect(kiosk.part("number")).to_have_text("3")
    await expect(kiosk.part("with")).to_have_text("With Barber 0 · 2 people before you")
    await expect(kiosk.part("wait")).to_have_text(re.compile(r"\d"))
    await expect(kiosk.part("qr")).to_be_visible()
    assert await barriers(kiosk.page) == []

    [address] = drawn
    phone = Phone(stage, await stage.page(viewport=SIZE), stage.url)
    await phone.page.goto(address)
    await phone.has_a_ticket()
    await phone.reads(number="3", place="2 people before you")
    assert phone.page.url == address.partition("#")[0]
    await phone.page.reload()
    await phone.reads(number="3")

    await kiosk.page.emulate_media(media="print")
    await expect(kiosk.part("print")).to_be_hidden()
    await expect(kiosk.part("printed")).to_have_text(re.compile("The Shop"))
    await kiosk.page.emulate_media(media="screen")
    await kiosk.page.click("#done .back")
    await kiosk.welcomes()
    assert await kiosk.part("number").text_content() == ""
    assert await kiosk.page.evaluate("Object.keys(localStorage)") == ["barberpro.device.kiosk"]


async def test_a_kiosk_that_is_left_alone_returns_to_its_start_and_one_that_is_cut_off_says_so(stage: Stage) -> None:
    kiosk = await Kiosk.of(stage)
    await kiosk.pair()
    await kiosk.page.get_by_role("button", name="العربية").click()
    await expect(kiosk.page.locator("html")).to_have_attribute("dir", "rtl")
    assert await barriers(kiosk.page) == []
    await kiosk.tile(1).click()
    await kiosk.page.clock.run_for(41_000)
    await expect(kiosk.part("idle")).to_be_visible()
    await kiosk.page.keyboard.press("Shift")
    await expect(kiosk.part("idle")).to_be_hidden()
    await kiosk.page.clock.run_for(51_000)
    await expect(kiosk.page.locator("html")).to_have_attribute("lang", "en")
    await kiosk.welcomes()
    assert await in_line(stage) == []

    await stage.stop()
    await expect(kiosk.part("notice")).to_have_text(re.compile("ask the barber"), timeout=WITHIN_MS)
    await expect(kiosk.tile(0)).to_be_disabled()
    await stage.start()
    await kiosk.page.clock.run_for(10_000)
    await kiosk.welcomes()

    shop, pool = stage.shop, stage.backstage.pool
    await devices.revoke_device(pool, shop.staff[0], shop.shop_id, kiosk.device, VIA)
    await expect(kiosk.part("pair")).to_be_visible(timeout=WITHIN_MS)
    await expect(kiosk.part("code")).not_to_be_empty()
