import { describe, expect, test } from "vitest";
import { ask } from "./http.js";
import { putLock } from "./records.js";
import { openScene, type Scene } from "./scene.js";

const PATHS = ["/", "/?token=", "/?token=wrong", "/index.html", "/main.js", "/style.css", "/icon.svg", "/events", "/x"];

const bearer = ({ token }: Scene) => ({ authorization: `Bearer ${token}` });

async function cookieOf(scene: Scene): Promise<string> {
  const { headers } = await ask(scene.origin, `/?token=${scene.token}`);
  return (headers["set-cookie"] ?? [])[0]?.split(";")[0] ?? "";
}

test("without the token everything is refused, and nothing is read from the store", async () => {
  const { origin, server } = await openScene();
  for (const path of PATHS)
    expect(await ask(origin, path), path).toMatchObject({ status: 401, body: expect.stringMatching(/token/) });
  const wrong = { authorization: "Bearer wrong", cookie: "s3-mutex-ui-80=; x" };
  for (const path of ["/events", "/release"]) expect((await ask(origin, path, { headers: wrong })).status).toBe(401);
  expect(server.requests.total).toBe(0);
});

test("the token opens the page, and the page its files", async () => {
  const scene = await openScene();
  const page = await ask(scene.origin, `/?token=${scene.token}`);
  expect(page).toMatchObject({ status: 200, body: expect.stringMatching(/<title>s3-mutex/) });
  const [cookie = ""] = page.headers["set-cookie"] ?? [];
  expect(cookie).toMatch(/^s3-mutex-ui-\d+=\S{20,}; Path=\/; HttpOnly; SameSite=Strict$/);
  const headers = { cookie: await cookieOf(scene) };
  for (const path of ["/", "/main.js", "/style.css", "/icon.svg"]) {
    expect((await ask(scene.origin, path, { headers })).status, path).toBe(200);
  }
  expect((await ask(scene.origin, "/../package.json", { headers })).status).toBe(404);
});

test("the page may load nothing from elsewhere and be framed by no page", async () => {
  const scene = await openScene();
  const { headers } = await ask(scene.origin, `/?token=${scene.token}`);
  expect(headers).toMatchObject({
    "content-security-policy": expect.stringMatching(/^default-src 'none'; script-src 'self'; style-src 'self'; /),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
  });
  expect(headers["content-security-policy"]).not.toMatch(/unsafe|https?:/);
});

test("the cookie opens no data: every other port of this machine is sent it too", async () => {
  const scene = await openScene();
  const headers = { cookie: await cookieOf(scene) };
  expect((await ask(scene.origin, "/events", { headers })).status).toBe(401);
  const posted = { method: "POST", headers: { ...headers, origin: scene.origin } };
  expect((await ask(scene.origin, "/release", posted)).status).toBe(401);
});

describe("a name that leads here", () => {
  const strangers = ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1"];
  test.each(strangers)("%s is refused", async (host) => {
    const scene = await openScene();
    const headers = { ...bearer(scene), host };
    for (const path of [`/?token=${scene.token}`, "/events"]) {
      expect((await ask(scene.origin, path, { headers })).status).toBe(403);
    }
  });

  test.each(["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080"])("%j is this machine", async (host) => {
    const scene = await openScene();
    expect((await ask(scene.origin, `/?token=${scene.token}`, { headers: { host } })).status).toBe(200);
  });
});

describe("ending a hold", () => {
  const seen = { lockName: "job", tokens: [7] };
  const post = (scene: Scene, headers: Record<string, string>, body: unknown = seen) =>
    ask(scene.origin, "/release", {
      method: "POST",
      headers: { ...bearer(scene), origin: scene.origin, "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });

  async function heldScene(token = 7, settings = {}): Promise<Scene & { holders(): number }> {
    const scene = await openScene(settings);
    putLock(scene.server, "job", { holders: [{ token }] });
    const holders = () => JSON.parse(scene.server.getObject("my-bucket", "locks/job.json")?.text ?? "").holders.length;
    return { ...scene, holders };
  }

  test("from the page's own origin it ends", async () => {
    const scene = await heldScene();
    expect(await post(scene, {})).toMatchObject({ status: 200, body: '{"outcome":"released"}' });
    expect(scene.holders()).toBe(0);
    expect(await post(scene, {})).toMatchObject({ status: 200, body: '{"outcome":"free"}' });
  });

  test.each(["https://evil.example", "null", "http://localhost:1", "http://127.0.0.1"])(
    "from %s it is refused, the token notwithstanding",
    async (origin) => {
      const scene = await heldScene();
      expect((await post(scene, { origin })).status).toBe(403);
      expect(scene.holders()).toBe(1);
    },
  );

  test("from nowhere, under another name or as a form it is refused", async () => {
    const scene = await heldScene();
    const { origin, ...headers } = { ...bearer(scene), origin: "", "content-type": "application/json" };
    const withoutOrigin = { method: "POST", headers, body: JSON.stringify(seen) };
    expect((await ask(scene.origin, "/release", withoutOrigin)).status).toBe(403);
    expect((await post(scene, { host: "evil.example", origin: "http://evil.example" })).status).toBe(403);
    expect((await post(scene, { "content-type": "application/x-www-form-urlencoded" })).status).toBe(400);
    expect(scene.holders()).toBe(1);
  });

  test("who got the lock since it was looked at was not meant", async () => {
    const scene = await heldScene(8);
    expect(await post(scene, {})).toMatchObject({ status: 200, body: '{"outcome":"changed"}' });
    expect(scene.holders()).toBe(1);
  });

  test("who gets the lock while the request is under way was not meant either", async () => {
    const scene = await heldScene();
    const stop = scene.server.onRequest(({ operation }) => {
      if (operation !== "GetObject") return;
      stop();
      putLock(scene.server, "job", { holders: [{ token: 8 }] });
    });
    expect(await post(scene, {})).toMatchObject({ status: 200, body: '{"outcome":"changed"}' });
    expect(scene.holders()).toBe(1);
  });

  test("who shares the lock since it was looked at goes on sharing it", async () => {
    const scene = await heldScene();
    putLock(scene.server, "job", {
      holders: [
        { token: 7, mode: "shared" },
        { token: 8, mode: "shared" },
      ],
    });
    expect(await post(scene, {})).toMatchObject({ status: 200, body: '{"outcome":"released"}' });
    const { holders } = JSON.parse(scene.server.getObject("my-bucket", "locks/job.json")?.text ?? "");
    expect(holders).toMatchObject([{ token: 8 }]);
  });

  test("read-only refuses", async () => {
    const scene = await heldScene(7, { isReadOnly: true });
    expect(await post(scene, {})).toMatchObject({ status: 403, body: expect.stringMatching(/read-only/) });
    expect(scene.holders()).toBe(1);
  });

  test.each([
    "",
    "{",
    "[]",
    "null",
    '{"lockName":7,"tokens":[]}',
    '{"lockName":"job","tokens":["7"]}',
    `{"lockName":"job","tokens":[7]${" ".repeat(20_000)}}`,
  ])("what is not a request is refused: %.20s", async (body) => {
    const scene = await heldScene();
    expect((await post(scene, {}, body)).status).toBe(400);
    expect(scene.holders()).toBe(1);
  });

  test("what is not a name, and a store that fails, are said", async () => {
    const scene = await heldScene();
    expect(await post(scene, {}, { lockName: "", tokens: [] })).toMatchObject({
      status: 502,
      body: expect.stringMatching(/lockName/),
    });
  });

  test("it takes a POST", async () => {
    const scene = await heldScene();
    expect((await ask(scene.origin, "/release", { headers: bearer(scene) })).status).toBe(405);
    const posted = { method: "POST", headers: { ...bearer(scene), origin: scene.origin } };
    expect((await ask(scene.origin, "/events", posted)).status).toBe(405);
    expect((await ask(scene.origin, "/", posted)).status).toBe(405);
  });
});
