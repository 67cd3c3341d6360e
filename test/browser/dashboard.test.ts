import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { BUCKET, keyOf, putLock } from "../ui/records.js";
import { openScene, type Scene } from "../ui/scene.js";
import { isChromiumMissing, launchChromium } from "./chromium.js";

describe.skipIf(isChromiumMissing())("the dashboard in a browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  /** Opens a page on which nothing may go wrong: what its console complains of fails the test. */
  async function open(url: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, ...options });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`));
    onTestFinished(async () => {
      await context.close();
      expect(complaints).toEqual([]);
    });
    await page.goto(url);
    return page;
  }

  const row = (page: Page, name: string) => page.locator(".space .row:not([hidden])", { hasText: name });
  const live = (page: Page) => page.locator('#connection[data-state="live"]').waitFor();
  const holdersOf = ({ server }: Scene, name: string): unknown[] =>
    JSON.parse(server.getObject(BUCKET, keyOf(name))?.text ?? "").holders;

  test("locks are shown, and changes within three seconds", async () => {
    const scene = await openScene({ intervalMs: 1000 });
    putLock(scene.server, "nightly", { holders: [{ host: "web-1", pid: 7, label: "backup" }], queue: [{}, {}] });
    const page = await open(scene.url);
    await row(page, "nightly").waitFor();
    expect(await row(page, "nightly").innerText()).toMatch(/held\s+backup · web-1:7\s+\d+ s\s+5\d s\s+2\s+\d{13}/);

    putLock(scene.server, "nightly", { holders: [{ host: "web-2", pid: 8 }] });
    putLock(scene.server, "another");
    const changedAtMs = performance.now();
    await row(page, "web-2:8").waitFor();
    await row(page, "another").waitFor();
    expect(performance.now() - changedAtMs).toBeLessThan(3000);
    expect(await page.locator("#count-locks").innerText()).toBe("2");
  });

  test("the token leaves the address, and the page can be loaded again", async () => {
    const scene = await openScene();
    const page = await open(scene.url);
    await live(page);
    expect(page.url()).toBe(`${scene.origin}/`);
    await page.reload();
    await live(page);
    expect(page.url()).toBe(`${scene.origin}/`);
    const cookies = await page.context().cookies();
    expect(cookies).toMatchObject([{ httpOnly: true, sameSite: "Strict" }]);
    expect(cookies[0]?.value).not.toBe(scene.token);
  });

  test("another tab without the token sees nothing", async () => {
    const scene = await openScene();
    putLock(scene.server, "secret");
    const page = await open(scene.url);
    await row(page, "secret").waitFor();
    const other = await page.context().newPage();
    await other.goto(scene.origin);
    await other.getByText("This page has no access").waitFor();
    expect(await other.locator(".space .row:not([hidden])").count()).toBe(0);
  });

  test("a page of another site can neither look nor end a hold", async () => {
    const scene = await openScene();
    putLock(scene.server, "job", { holders: [{ token: 7 }] });
    const other = await openScene();
    const context = await browser.newContext();
    onTestFinished(() => context.close());
    const page = await context.newPage();
    // It is served from another origin of the same site, and knows the token.
    await page.goto(other.url);
    const tried = await page.evaluate(
      async ({ origin, token }) => {
        const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
        const body = JSON.stringify({ lockName: "job", tokens: [7] });
        const attempt = (path: string, init: RequestInit) =>
          fetch(origin + path, init).then(
            () => "ok",
            () => "refused",
          );
        return [await attempt("/events", { headers }), await attempt("/release", { method: "POST", headers, body })];
      },
      { origin: scene.origin, token: scene.token },
    );
    expect(tried).toEqual(["refused", "refused"]);
    expect(holdersOf(scene, "job")).toHaveLength(1);
  });

  test("C11: held locks come first, ↓ and Enter work right after loading, and a phone shows the holder", async () => {
    const scene = await openScene();
    putLock(scene.server, "a-free");
    putLock(scene.server, "b-held", { holders: [{ host: "web-1", pid: 1, label: "import" }] });
    putLock(scene.server, "c-held", { holders: [{ host: "web-2", pid: 2 }] });
    const page = await open(scene.url, { viewport: { width: 360, height: 640 } });
    await row(page, "a-free").waitFor();
    const names = await page.locator(".space .row:not([hidden]) .name").allInnerTexts();
    expect(names).toEqual(["b-held", "c-held", "a-free"]);
    expect(await row(page, "b-held").locator(".holder").isVisible()).toBe(true);
    const cutOff = await page
      .locator(".heads button:visible")
      .evaluateAll((buttons) =>
        buttons
          .filter(({ parentElement: cell }) => cell !== null && cell.scrollWidth > cell.clientWidth)
          .map((one) => one.textContent),
      );
    expect(cutOff).toEqual([]);
    await page.setViewportSize({ width: 1280, height: 720 });
    await page.keyboard.press("ArrowDown");
    expect(await page.locator(".row.active .name").innerText()).toBe("b-held");
    await page.keyboard.press("ArrowDown");
    expect(await page.locator(".row.active .name").innerText()).toBe("c-held");
    await page.keyboard.press("Enter");
    await page.locator("aside:not([hidden])", { hasText: "web-2" }).waitFor();
  });

  test("a hold is ended by force after a confirmation, and by keyboard alone", async () => {
    const scene = await openScene();
    putLock(scene.server, "a-first", { holders: [{ host: "web-1", pid: 1 }] });
    putLock(scene.server, "b-stuck", { holders: [{ host: "web-2", pid: 2 }] });
    const page = await open(scene.url);
    await row(page, "b-stuck").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("stuck");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await page.locator("#details-name", { hasText: "b-stuck" }).waitFor();
    await page.keyboard.press("r");
    const dialog = page.getByRole("dialog");
    await dialog.getByText("web-2:2").waitFor();

    // The answer at hand is no.
    expect(await dialog.getByRole("button", { name: "Cancel" }).evaluate((it) => it === document.activeElement)).toBe(
      true,
    );
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "hidden" });
    expect(holdersOf(scene, "b-stuck")).toHaveLength(1);

    await page.keyboard.press("r");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await dialog.getByText("Released.").waitFor();
    expect(holdersOf(scene, "b-stuck")).toHaveLength(0);
    expect(holdersOf(scene, "a-first")).toHaveLength(1);
    await page.keyboard.press("Escape");
    await row(page, "free").waitFor();
  });

  test("whom the viewer did not see is not released", async () => {
    const scene = await openScene({ intervalMs: 600_000 });
    putLock(scene.server, "job", { holders: [{ token: 7 }] });
    const page = await open(scene.url);
    await row(page, "job").click();
    await page.keyboard.press("r");
    putLock(scene.server, "job", { holders: [{ token: 8 }] });
    await page.getByRole("button", { name: "Release by force" }).click();
    await page.getByText("Another holder has it by now").waitFor();
    expect(holdersOf(scene, "job")).toHaveLength(1);
  });

  test("read-only offers nothing that changes", async () => {
    const scene = await openScene({ isReadOnly: true });
    putLock(scene.server, "job", { holders: [{}] });
    const page = await open(scene.url);
    await row(page, "job").click();
    await page.locator("#details").getByText("Holders").waitFor();
    expect(await page.locator("#read-only").isVisible()).toBe(true);
    expect(await page.getByRole("button", { name: /release/i }).count()).toBe(0);
    await page.keyboard.press("r");
    expect(await page.getByRole("dialog").count()).toBe(0);
  });

  test("whatever locks are called and holders call themselves is text", async () => {
    const scene = await openScene();
    const evil = `<img src=x onerror="alert(1)"><script>alert(2)</script>`;
    const turned = "safe\u202egpj.exe";
    const party = { host: evil, label: evil, owner: evil };
    putLock(scene.server, evil, {
      holders: [party],
      queue: [{ ...party, holds: [{ name: evil, token: 1 }] }],
      recent: [party],
    });
    putLock(scene.server, turned, { holders: [{ label: turned }] });
    scene.server.putObject(BUCKET, keyOf("broken"), evil);
    const page = await open(scene.url);
    await row(page, "<img").click();
    for (const key of ["2", "3", "4", "1"]) {
      await page.keyboard.press(key);
      await page.waitForTimeout(50);
    }
    await page.keyboard.press("r");
    expect(await page.locator("img, script:not([src])").count()).toBe(0);
    expect(await page.locator("#details-name").innerText()).toBe(evil);
    expect(await row(page, "safe").innerText()).toContain("safe\\u{202e}gpj.exe");
  });

  test("a thousand locks and five viewers: the reads of one, no more rows than can be seen", {
    timeout: 60_000,
  }, async () => {
    const scene = await openScene({ intervalMs: 1000 });
    for (let index = 0; index < 1000; index += 1) {
      putLock(scene.server, `lock-${index}`, index % 2 === 0 ? { holders: [{ host: "web-1" }] } : {});
    }
    const pages = await Promise.all([1, 2, 3, 4, 5].map(() => open(scene.url)));
    for (const page of pages) await page.locator("#count-locks", { hasText: "1,000" }).waitFor();
    for (const page of pages) await page.locator("#viewers", { hasText: "5" }).waitFor();
    expect(await pages[0]?.locator(".space .row").count()).toBeLessThan(40);

    scene.server.resetRequests();
    const startedAtMs = performance.now();
    for (let index = 0; index < 10; index += 1)
      putLock(scene.server, `lock-${index}`, { holders: [{ host: "web-news" }] });
    for (const page of pages) {
      await page.locator("#filter").fill("web-news");
      await page.locator('[aria-rowcount="11"]').waitFor();
    }
    await pages[0]?.waitForTimeout(2000);
    const seconds = (performance.now() - startedAtMs) / 1000;
    const { total, byOperation } = scene.server.requests;
    expect(byOperation.GetObject).toBe(10);
    expect(byOperation.ListObjectsV2).toBeLessThanOrEqual(seconds + 1);
    expect(total).toBe(byOperation.GetObject + byOperation.ListObjectsV2);
    expect(Number(await pages[0]?.locator("#rate").innerText())).toBeGreaterThan(0);
  });

  test("the whole list can be walked through and sorted by keyboard, and nothing jumps meanwhile", async () => {
    const scene = await openScene();
    for (let index = 100; index < 400; index += 1)
      putLock(scene.server, `lock-${index}`, { queue: index === 250 ? [{}] : [] });
    const page = await open(scene.url);
    await row(page, "lock-100").waitFor();
    await page.locator(".grid").focus();
    await page.keyboard.press("End");
    await row(page, "lock-399").waitFor();
    await page.keyboard.press("ArrowUp");
    expect(await page.locator(".row.active").innerText()).toContain("lock-398");
    await page.locator(".row.active").click();
    expect(await page.locator(".grid").evaluate((grid) => grid === document.activeElement)).toBe(true);
    await page.keyboard.press("Escape");
    // New locks elsewhere in the list do not move what is in sight away from under the viewer.
    const active = await page.locator(".grid").getAttribute("aria-activedescendant");
    expect(await page.locator(`#${active}`).innerText()).toContain("lock-398");
    await page.getByRole("button", { name: "Waiters" }).press("Enter");
    await page.getByRole("button", { name: "Waiters" }).press("Enter");
    await page.locator(".rows").evaluate((rows) => {
      rows.scrollTop = 0;
    });
    const first = page.locator(".space .row[aria-rowindex='2']");
    await first.filter({ hasText: "lock-250" }).waitFor();
    expect(await page.locator(".heads .waiters").getAttribute("aria-sort")).toBe("descending");
  });

  test("a deadlock is drawn and counted; its locks can be opened from the picture", async () => {
    const scene = await openScene();
    putLock(scene.server, "orders", {
      holders: [{ host: "a", pid: 1, token: 1 }],
      queue: [{ host: "b", pid: 2, holds: [{ name: "stock", token: 2 }] }],
    });
    putLock(scene.server, "stock", {
      holders: [{ host: "b", pid: 2, token: 2 }],
      queue: [{ host: "a", pid: 1, holds: [{ name: "orders", token: 1 }] }],
    });
    const page = await open(scene.url);
    await page.locator("#count-deadlocked", { hasText: "2" }).waitFor();
    await page.keyboard.press("2");
    await page.locator(".node.cycle").first().waitFor();
    expect(await page.locator(".edge.cycle").count()).toBe(4);
    expect(await page.locator(".node.cycle").count()).toBe(4);
    await page.getByRole("button", { name: /Lock stock/ }).press("Enter");
    await page.locator("#details-name", { hasText: "stock" }).waitFor();
    await page.keyboard.press("Escape");
    // The page is drawn with the next frame.
    await page.locator("#details").waitFor({ state: "hidden" });
  });

  test("turns are drawn along time, holds that go on up to now", async () => {
    const scene = await openScene();
    const nowMs = Date.now();
    const recent = [{ host: "web-1", fromMs: nowMs - 50_000, toMs: nowMs - 40_000, ended: "expired" as const }];
    putLock(scene.server, "job", { holders: [{ host: "web-2", acquiredAtMs: nowMs - 20_000 }], recent });
    const page = await open(scene.url);
    await page.keyboard.press("3");
    const bars = page.locator(".timeline .stint");
    await bars.nth(1).waitFor();
    expect(await bars.first().getAttribute("title")).toMatch(/^web-1\ntoken \d+\n[\d:]+ – [\d:]+, expired\n10 s$/);
    expect(await bars.nth(1).getAttribute("class")).toContain("open");
    const [bar, track] = [await bars.nth(1).boundingBox(), await page.locator(".timeline .track").boundingBox()];
    const right = (box: typeof bar) => (box?.x ?? 0) + (box?.width ?? 0);
    expect(Math.abs(right(bar) - right(track))).toBeLessThan(2);
  });

  test("contention is plotted from what was seen", async () => {
    const scene = await openScene();
    const nowMs = Date.now();
    putLock(scene.server, "job", { holders: [{ id: "one" }], queue: [{ id: "two", sinceMs: nowMs - 4000 }] });
    const page = await open(scene.url);
    await page.keyboard.press("4");
    await page.locator("tbody tr", { hasText: "job" }).waitFor();
    putLock(scene.server, "job", { holders: [{ id: "two", acquiredAtMs: nowMs }] });
    await page.locator("figure", { hasText: "waited for" }).getByText("median 4.0 s").waitFor();
  });

  test("what goes wrong with the store is said, and when it is over", async () => {
    const scene = await openScene();
    putLock(scene.server, "job", { holders: [{}] });
    const page = await open(scene.url);
    await row(page, "job").waitFor();
    const fault = scene.server.faults.add({ fault: "status", status: 403 });
    await page.getByRole("alert").getByText("403").waitFor();
    expect(await row(page, "job").isVisible()).toBe(true);
    fault.remove();
    await page.getByRole("alert").waitFor({ state: "hidden" });
    await live(page);
  });

  describe.each(["light", "dark"] as const)("in %s", (colorScheme) => {
    test("every text can be read (WCAG AA), everything has a name, and the focus is seen", async () => {
      const scene = await openScene();
      const party = { host: "web-1", pid: 1 };
      putLock(scene.server, "held", { holders: [party], queue: [{}], recent: [{ ...party, ended: "expired" }] });
      putLock(scene.server, "expired", { holders: [{ expiresAtMs: 1 }] });
      putLock(scene.server, "free");
      scene.server.putObject(BUCKET, keyOf("broken"), "?");
      const page = await open(scene.url, { colorScheme });
      await row(page, "held").first().click();
      const poor: string[] = [];
      for (const key of ["1", "2", "3", "4"]) {
        await page.keyboard.press(key);
        await page.waitForTimeout(100);
        poor.push(...(await page.evaluate(poorContrasts)));
      }
      expect([...new Set(poor)]).toEqual([]);
      const nameless = await page
        .locator("button, input, select")
        .evaluateAll((all) =>
          all
            .filter((it) => !it.textContent?.trim() && !it.ariaLabel && !it.closest("label")?.textContent?.trim())
            .map((it) => it.outerHTML),
        );
      expect(nameless).toEqual([]);
      await page.keyboard.press("Tab");
      const outline = await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle);
      expect(outline).not.toBe("none");
    });
  });

  test("P23: a dead holder's time ends with its lease, in the list and in the details", async () => {
    const scene = await openScene();
    const nowMs = Date.now();
    putLock(scene.server, "dead", { holders: [{ acquiredAtMs: nowMs - 100_000, expiresAtMs: nowMs - 92_000 }] });
    const page = await open(scene.url);
    const dead = row(page, "dead").first();
    expect(await dead.textContent()).toContain("8 s");
    await dead.click();
    await page.getByText(/^held 8 s · lease ended 1 min/).waitFor();
  });

  test("on a narrow screen nothing is wider than it", async () => {
    const scene = await openScene();
    putLock(scene.server, "a-name/that-is-rather-long/and-longer-than-that", {
      holders: [{ host: "web-1" }],
      queue: [{}],
    });
    const page = await open(scene.url, { viewport: { width: 360, height: 640 } });
    await row(page, "a-name").waitFor();
    for (const key of ["1", "2", "3", "4"]) {
      await page.keyboard.press(key);
      await page.waitForTimeout(50);
      expect(await page.evaluate(() => document.documentElement.scrollWidth), key).toBeLessThanOrEqual(360);
    }
  });
});

/** Finds the texts in sight whose contrast with what is behind them is below 4.5. It runs in the page. */
function poorContrasts(): string[] {
  const canvas = document
    .createElement("canvas")
    .getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
  const channels = (colour: string) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data] as [number, number, number, number];
  };
  const luminance = (rgb: readonly number[]) => {
    const [r = 0, g = 0, b = 0] = rgb.map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (start: Element): number[] => {
    for (let at: Element | null = start; at !== null; at = at.parentElement) {
      const rgba = channels(getComputedStyle(at).backgroundColor);
      if (rgba[3] === 255) return rgba.slice(0, 3);
    }
    return channels(getComputedStyle(document.documentElement).backgroundColor).slice(0, 3);
  };
  const poor: string[] = [];
  for (const it of document.querySelectorAll<HTMLElement>("body *:not(svg *)")) {
    const text = [...it.childNodes].flatMap((node) => (node.nodeType === 3 ? [node.textContent?.trim()] : [])).join("");
    if (
      text === "" ||
      it.closest("dialog, noscript, .skip, .hidden-label, :disabled") !== null ||
      it.getClientRects().length === 0
    )
      continue;
    const [one, other] = [luminance(channels(getComputedStyle(it).color).slice(0, 3)), luminance(background(it))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) poor.push(`${it.tagName}.${it.className} ${text.slice(0, 20)}: ${ratio.toFixed(2)}`);
  }
  return poor;
}
