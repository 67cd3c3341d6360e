import { type Examination, lag } from "../examination/examination.js";
import { type Finding, fail, pass, UNDELETABLE, warn } from "../examination/report.js";

const KEYS = 7;
const PAGE_SIZE = 3;
/** More than a listing that ends can have. */
const PAGES_MAX = KEYS + 2;
const HARMLESS = "Locks do not rest on listings; `ls` and cleanup do, and may miss locks or show too many.";

/** Checks that what was just written is in a listing, and what was just deleted is not. */
export async function listAfterWrite(exam: Examination): Promise<Finding> {
  for (let round = 0; round < 3; round += 1) {
    // Stores are asked for folders only: some list nothing else.
    const folder = `${exam.newKey("listed")}/`;
    const key = `${folder}key`;
    exam.keys.add(key);
    const lists = async () => (await exam.list(folder)).keys?.includes(key) === true;
    await lists();
    await exam.create(key, exam.newBody());
    const shownMs = await exam.settles(lists);
    if (shownMs > 0) return warn(`a listing shows a new object ${lag(shownMs)}`, HARMLESS);
    if (!exam.mayDelete) break;
    await exam.delete(key);
    const goneMs = await exam.settles(async () => !(await lists()));
    if (goneMs > 0) return warn(`a listing leaves out a deleted object ${lag(goneMs)}`, HARMLESS);
  }
  return pass("listings show what was just written, and not what was just deleted");
}

/** Checks pages: all keys of the prefix, each once, in order, and an end. */
export async function listPages(exam: Examination): Promise<Finding> {
  if (!exam.mayDelete) return UNDELETABLE;
  // Not the same folder when the check is made again.
  const folder = `${exam.newKey("pages")}/`;
  const wanted = Array.from({ length: KEYS }, (_, index) => `${folder}${String.fromCharCode(97 + index)}-key`);
  // In the order of bytes, capitals go first: a store that folds case would list these elsewhere.
  wanted[0] = `${folder}Z-key`;
  const beside = `${folder.slice(0, -1)}-beside`;
  for (const key of [...wanted, beside]) exam.keys.add(key);
  await Promise.all([...wanted, beside].map((key) => exam.create(key, exam.newBody())));
  const isShown = async () => (await exam.list(folder)).keys?.length === wanted.length;
  if ((await exam.settles(isShown)) === Number.POSITIVE_INFINITY) {
    const found = (await exam.list(folder)).keys ?? [];
    const strange = found.find((key) => !key.startsWith(folder));
    if (strange !== undefined) return warn(`a listing ignores its prefix: it has ${strange}`, HARMLESS);
    const doubled = found.length > new Set(found).size;
    return warn(`a listing has ${found.length} entries for ${KEYS} objects${doubled ? ", some twice" : ""}`, HARMLESS);
  }
  const { keys, pages, endless } = await collect(exam, folder);
  if (endless) {
    const remedy = "Do not run `ls` or cleanup here: they would not come to an end. Locks do not rest on listings.";
    return fail("a listing in pages does not end: its continuation token is ignored", remedy);
  }
  const missing = wanted.filter((key) => !keys.includes(key));
  if (missing.length > 0) return warn(`a listing in pages misses ${missing.length} of ${KEYS} objects`, HARMLESS);
  if (keys.length > wanted.length) return warn("a listing in pages has entries that should not be there", HARMLESS);
  const inOrder = keys.every((key, index) => key === wanted[index]);
  const after = inOrder
    ? await exam.insist(() => exam.lane.list(folder, { startAfter: wanted[3] as string }))
    : undefined;
  const skips = after?.kind === "answer" && after.keys?.length === KEYS - 4;
  // Directory buckets list in any order and know no start-after; s3-mutex needs neither.
  const order = inOrder
    ? `in order${skips ? "" : "; start-after is not supported, nor needed"}`
    : "in no order, which is not needed";
  if (pages < 2) {
    return warn(
      "max-keys is ignored by listings: all comes in one page",
      "Nothing to do: s3-mutex does not count on it.",
    );
  }
  return pass(`${KEYS} objects in ${pages} pages, each once, ${order}`);
}

async function collect(exam: Examination, folder: string) {
  const keys: string[] = [];
  let continuation: string | undefined;
  for (let pages = 1; pages <= PAGES_MAX; pages += 1) {
    const page = await exam.list(folder, { pageSize: PAGE_SIZE, continuation });
    keys.push(...(page.keys ?? []));
    if (page.continuation === undefined) return { keys, pages, endless: false };
    // "Truncated" without a token: no client can go on.
    if (page.continuation === "") return { keys, pages, endless: false };
    continuation = page.continuation;
  }
  return { keys, pages: PAGES_MAX, endless: true };
}
