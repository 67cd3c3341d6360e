import { describe, expect, it } from "vitest";
import { Clockwork, settled } from "../../../test/protocol/clockwork.js";
import { found, OPTIONS } from "../../../test/store/asking.js";
import { type Answered, clientAnswering, refusing, type Sent } from "../../../test/store/handler.js";
import { stateOf } from "./client/client-state.js";
import { NO_HEADERS } from "./client/store-headers.js";
import { Listings } from "./listings.js";
import { Sender } from "./sender.js";

const FAILED = refusing(500, "InternalError");
const CANNOT = refusing(501, "NotImplemented");

function listed(keys: readonly string[], { more = "", isEncoded = false, entries = "" } = {}): Answered {
  const contents = keys.map((key) => `<Contents><Key>${key}</Key><ETag>"e"</ETag></Contents>`).join("");
  const encoding = isEncoded ? "<EncodingType>url</EncodingType>" : "";
  const rest =
    more === "" ? "" : `<IsTruncated>true</IsTruncated><NextContinuationToken>${more}</NextContinuationToken>`;
  return found(`<ListBucketResult>${encoding}${contents}${entries}${rest}</ListBucketResult>`, {});
}

/** Listings of a bucket that answers these, and what was asked for: prefix and token. */
function listing(answers: readonly (Answered | Promise<Answered>)[], bucket = "locks") {
  const { client, sent } = clientAnswering((_, count) => answers[count - 1] ?? FAILED, {
    disableS3ExpressSessionAuth: true,
  });
  const state = stateOf(client, 40);
  const clockwork = new Clockwork();
  const sender = new Sender(client, state, clockwork.effects);
  const listings = new Listings({
    client,
    bucket,
    state: state.bucket(bucket).listing,
    fields: { ...NO_HEADERS, list: { RequestPayer: "requester" } },
    sender,
  });
  const page = (prefix: string, continuation?: string) => listings.page(prefix, continuation, OPTIONS);
  const asked = () =>
    sent.map((one) => {
      const { query } = one as Sent & { readonly query: Readonly<Record<string, string>> };
      const token = query["continuation-token"];
      return `${query["prefix"] ?? ""}${token === undefined ? "" : ` from ${token}`}`;
    });
  return { page, asked, sent, clockwork, state: state.bucket(bucket).listing };
}

describe("a page", () => {
  it("has keys and ETags, and goes on from where it ended", async () => {
    const { page, asked, sent } = listing([listed(["locks/a", "locks/b"], { more: "t1" }), listed([])]);
    const first = await page("locks/");
    expect(first).toMatchObject({ kind: "ok", keys: ["locks/a", "locks/b"], continuation: "pt1" });
    expect(first).toMatchObject({
      etags: new Map([
        ["locks/a", '"e"'],
        ["locks/b", '"e"'],
      ]),
    });
    const last = await page("locks/", "pt1");
    expect(last).toMatchObject({ kind: "ok", keys: [] });
    expect(last).not.toHaveProperty("continuation");
    expect(asked()).toEqual(["locks/", "locks/ from t1"]);
    expect(sent[0]?.headers["x-amz-request-payer"]).toBe("requester");
    expect(sent[0]).toMatchObject({ query: { "encoding-type": "url" } });
  });

  it("undoes the encoding where the store says that it has encoded", async () => {
    const keys = ["a%20b+c"];
    expect(await listing([listed(keys, { isEncoded: true })]).page("")).toMatchObject({ keys: ["a b c"] });
    expect(await listing([listed(keys)]).page("")).toMatchObject({ keys });
  });

  it("passes over what has no key, and does without ETags", async () => {
    const entries = '<Contents><ETag>"x"</ETag></Contents><Contents><Key>b</Key></Contents>';
    expect(await listing([listed(["a"], { entries })]).page("")).toMatchObject({
      keys: ["a", "b"],
      etags: new Map([["a", '"e"']]),
    });
  });

  it("is the last one where the store says so, whatever token it shows", async () => {
    const entries = "<IsTruncated>false</IsTruncated><NextContinuationToken>t1</NextContinuationToken>";
    expect(await listing([listed(["a"], { entries })]).page("")).not.toHaveProperty("continuation");
  });

  it.each(["", "<html>Welcome</html>"])("that is not one of S3 (%j) is not an empty bucket", async (text) => {
    expect(await listing([found(text, {})]).page("")).toMatchObject({ kind: "unknown" });
  });

  it("that is refused says what was asked for", async () => {
    const { page, asked } = listing([refusing(403, "AccessDenied")]);
    const message = expect.stringContaining("s3:ListBucket on s3://locks was refused");
    expect(await page("lo")).toMatchObject({ kind: "refused", error: { message } });
    expect(asked()).toEqual(["lo"]);
  });

  it("is called off when its time is up", async () => {
    const { page, sent, clockwork } = listing([new Promise<Answered>(() => {})]);
    const asking = page("");
    await expect.poll(() => sent.length, { interval: 1 }).toBe(1);
    await clockwork.pass(OPTIONS.timeoutMs);
    await settled();
    expect(sent[0]?.signal?.aborted).toBe(true);
    expect(await asking).toMatchObject({ kind: "unknown" });
  });
});

it("a first page that shows something shows that any prefix is listed: an empty one asks nothing more", async () => {
  const { page, asked } = listing([listed(["locks/ab"]), listed([])]);
  expect(await page("locks/a")).toMatchObject({ keys: ["locks/ab"] });
  expect(await page("locks/z")).toMatchObject({ keys: [] });
  expect(asked()).toEqual(["locks/a", "locks/z"]);
});

describe("where nothing is listed for a prefix that is not a folder", () => {
  it("the folder above shows a key, and less than all of that shows whether only folders are listed", async () => {
    const folders = listing([listed([]), listed(["locks/ab", "other"]), listed([]), listed(["locks/ab", "x"])]);
    expect(await folders.page("locks/a")).toMatchObject({ kind: "ok", keys: ["locks/ab"] });
    expect(folders.asked()).toEqual(["locks/a", "locks/", "locks/a"]);
    // It is known now: only the folder is asked for, and chosen from.
    expect(await folders.page("locks/a")).toMatchObject({ keys: ["locks/ab"], etags: new Map([["locks/ab", '"e"']]) });
    expect(folders.asked().at(-1)).toBe("locks/");
  });

  it("it is empty where any prefix is listed, and the folder above is not gone on with", async () => {
    const above = listed(["locks/bc"], { more: "t1" });
    const any = listing([listed([]), above, listed(["locks/bc"]), listed([])]);
    const page = await any.page("locks/a");
    expect(page).toMatchObject({ kind: "ok", keys: [] });
    expect(page).not.toHaveProperty("continuation");
    expect(any.asked()).toEqual(["locks/a", "locks/", "locks/b"]);
    await any.page("locks/a");
    expect(any.asked()).toHaveLength(4);
  });

  it.each([
    ["nothing at all", []],
    ["a key that is one character longer than its folder", ["locks/a"]],
  ])("nothing follows from a folder above that shows %s", async (_, keys) => {
    const { page, asked, state } = listing([listed([]), listed(keys)]);
    expect(await page("locks/z")).toMatchObject({ kind: "ok", keys: [] });
    expect(asked()).toHaveLength(2);
    expect(state.prefixes).toBeUndefined();
  });

  it("nor from a question that fails", async () => {
    const { page, state } = listing([listed([]), listed(["locks/ab"]), FAILED]);
    expect(await page("locks/z")).toMatchObject({ kind: "ok", keys: [] });
    expect(state.prefixes).toBeUndefined();
  });

  it("nor is anything asked on a later page, of a folder, or where more is to come", async () => {
    for (const [prefix, continuation] of [
      ["locks/a", "pt1"],
      ["locks/", undefined],
      ["", undefined],
    ] as const) {
      const { page, asked } = listing([listed([])]);
      await page(prefix, continuation);
      expect(asked()).toHaveLength(1);
    }
    const { page, asked } = listing([listed([], { more: "t1" }), listed([]), listed([])]);
    expect(await page("locks/a")).toMatchObject({ keys: [], continuation: "pt1" });
    expect(asked()).toHaveLength(1);
    // Nothing was learnt from that: an empty one is asked about yet.
    await page("locks/b");
    expect(asked()).toEqual(["locks/a", "locks/b", "locks/"]);
  });

  it("nor is anything learnt from a page that fails", async () => {
    const { page, asked } = listing([FAILED, listed([]), listed([])]);
    expect(await page("locks/a")).toMatchObject({ kind: "unknown" });
    await page("locks/a");
    expect(asked()).toEqual(["locks/a", "locks/a", "locks/"]);
  });
});

describe("where a prefix that is not a folder is refused", () => {
  it("the folder above is chosen from, page by page", async () => {
    const { page, asked } = listing([CANNOT, listed(["locks/ab", "locks/b"], { more: "t1" }), listed(["locks/ac"])]);
    expect(await page("locks/a")).toMatchObject({ kind: "ok", keys: ["locks/ab"], continuation: "ft1" });
    expect(await page("locks/a", "ft1")).toMatchObject({ kind: "ok", keys: ["locks/ac"] });
    expect(asked()).toEqual(["locks/a", "locks/", "locks/ from t1"]);
  });

  it("and the folder above fails, the refusal is told, and nothing is learnt", async () => {
    const { page, asked } = listing([CANNOT, FAILED, CANNOT, FAILED]);
    expect(await page("locks/a")).toMatchObject({ kind: "refused", error: { code: "store-unsafe" } });
    await page("locks/a");
    expect(asked()).toEqual(["locks/a", "locks/", "locks/a", "locks/"]);
  });

  it("a listing that has begun goes on as it began, whatever was learnt meanwhile", async () => {
    const { page, asked, state } = listing([listed(["locks/ab"], { more: "t1" }), listed(["locks/ac"])]);
    await page("locks/a");
    state.prefixes = "folders";
    expect(await page("locks/a", "pt1")).toMatchObject({ keys: ["locks/ac"] });
    expect(asked()).toEqual(["locks/a", "locks/a from t1"]);
  });
});

it("a directory bucket lists folders only, and says so where that fails", async () => {
  const { page, asked } = listing([listed(["locks/ab", "locks/b"]), FAILED], "locks--use1-az4--x-s3");
  expect(await page("locks/a")).toMatchObject({ keys: ["locks/ab"] });
  expect(await page("locks/a")).toMatchObject({ kind: "unknown" });
  expect(asked()).toEqual(["locks/", "locks/"]);
});
