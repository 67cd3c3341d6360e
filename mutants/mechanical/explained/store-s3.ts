import type { Explained } from "../explain.js";

const NO_SUCH_NAME = "nothing has that name, as nothing has the empty one";

/** The survivors of store/s3 that are known: what lives on here is what could be there as well. */
export const OF_STORE: readonly Explained[] = [
  {
    file: "src/store/s3/answer.ts",
    search: "text === undefined || !ERROR_DOCUMENT",
    replace: "false || !ERROR_DOCUMENT",
    why: 'the word "undefined" is no error document: the condition is for the compiler',
  },
  {
    file: "src/store/s3/answer.ts",
    search: "text !== undefined && /^",
    replace: "true && /^",
    why: 'the word "undefined" is no page: the condition is for the compiler',
  },
  {
    file: "src/store/s3/answer.ts",
    search: 'ENTITIES[name] ?? ""',
    replace: 'ENTITIES[name] ?? "Stryker was here!"',
    why: "the pattern finds only names that are there",
  },
  {
    file: "src/store/s3/answer.ts",
    search: "[0]?.trim()",
    replace: "[0].trim()",
    why: "a split text has a first part: the question mark is for the compiler",
  },
  {
    file: "src/store/s3/body-hash.ts",
    search: 'state.isMd5 === undefined && verdict === "differs"',
    replace: 'true && verdict === "differs"',
    why: "where ETags are hashes the function has returned, and where they are none it says so again",
  },
  {
    file: "src/store/s3/body-hash.ts",
    search: "catch {\n    return undefined;\n  }",
    replace: "catch {}",
    why: "what returns nothing returns undefined as well",
  },
  {
    file: "src/store/s3/content-encoding.ts",
    search: 'toLowerCase() ?? ""',
    replace: 'toLowerCase() ?? "Stryker was here!"',
    why: NO_SUCH_NAME,
  },
  {
    file: "src/store/s3/content-encoding.ts",
    search: "if (decode === undefined)",
    replace: "if (false)",
    why: "to call what is not there throws, and the bytes stay as they came",
  },
  {
    file: "src/store/s3/credentials.ts",
    search: "sentAtMs !== undefined && sentAtMs < askedAtMs",
    replace: "true && sentAtMs < askedAtMs",
    why: "undefined is less than no number: the condition is for the compiler",
  },
  {
    file: "src/store/s3/credentials.ts",
    search: "sentAtMs < askedAtMs",
    replace: "sentAtMs <= askedAtMs",
    why: "one instant: either is as good",
  },
  {
    file: "src/store/s3/failure.ts",
    search: 'NEVER_CONNECTED.has(code ?? "")',
    replace: 'NEVER_CONNECTED.has(code ?? "Stryker was here!")',
    why: NO_SUCH_NAME,
  },
  {
    file: "src/store/s3/failure.ts",
    search: 'CONNECTING_CALLS.has(syscall ?? "")',
    replace: 'CONNECTING_CALLS.has(syscall ?? "Stryker was here!")',
    why: NO_SUCH_NAME,
  },
  {
    file: "src/store/s3/failure.ts",
    search: 'CONNECTING_CALLS.has(fieldsOf(one).syscall ?? "")',
    replace: 'CONNECTING_CALLS.has(fieldsOf(one).syscall ?? "Stryker was here!")',
    why: NO_SUCH_NAME,
  },
  {
    file: "src/store/s3/failure.ts",
    search: "...(bucketRegion === undefined ?",
    replace: "...(false ?",
    why: "a field that is undefined reads as one that is not there",
  },
  {
    file: "src/store/s3/profile.ts",
    search: "catch {\n    return undefined;\n  }",
    replace: "catch {}",
    why: "what returns nothing returns undefined as well",
  },
  {
    file: "src/store/s3/profile.ts",
    search: "exec(line) ?? []",
    replace: 'exec(line) ?? ["Stryker was here"]',
    why: "the first part is not looked at, and there is no second",
  },
  {
    file: "src/store/s3/profile.ts",
    search: "value !== undefined) found",
    replace: "true) found",
    why: "where there is a key there is a value: the condition is for the compiler",
  },
  {
    file: "src/store/s3/put-checksum.ts",
    search: "md5 === undefined ? {}",
    replace: "false ? {}",
    why: "a field that is undefined is not sent",
  },
  {
    file: "src/store/s3/put-checksum.ts",
    search: "if (sentWith !== undefined) state",
    replace: "if (true) state",
    why: "undefined is no kind of checksum that could be refused: the condition is for the compiler",
  },
  {
    file: "src/store/s3/put-checksum.ts",
    search: 'code = "", message',
    replace: 'code = "Stryker was here!", message',
    why: "it is there where an answer is not of S3, and says nothing of a checksum either",
  },
  {
    file: "src/store/s3/put-checksum.ts",
    search: 'message = "" }',
    replace: 'message = "Stryker was here!" }',
    why: "it is there where an answer is not of S3, and says nothing of a checksum either",
  },
  {
    file: "src/store/s3/put-checksum.ts",
    search: "catch {\n    return undefined;\n  }",
    replace: "catch {}",
    why: "what returns nothing returns undefined as well",
  },
  ...[
    ['|| status === 503) return { kind: "unknown"', '|| status === 503) return { kind: ""'],
    ['message)) return { kind: "unknown"', 'message)) return { kind: ""'],
    ['status === 403)) return { kind: "unknown"', 'status === 403)) return { kind: ""'],
    ['isHead !== true) return { kind: "unknown"', 'isHead !== true) return { kind: ""'],
    ['return { kind: "unknown", hint: "The store has', 'return { kind: "", hint: "The store has'],
    ['status < 300) return { kind: "unknown" }', 'status < 300) return { kind: "" }'],
    ['status < 300) return { kind: "unknown" }', "status < 300) return {}"],
    ['return { kind: "unknown", notApplied: true, hint }', 'return { kind: "", notApplied: true, hint }'],
    ['DAMAGED.has(code)) return { kind: "unknown" }', 'DAMAGED.has(code)) return { kind: "" }'],
    ['DAMAGED.has(code)) return { kind: "unknown" }', "DAMAGED.has(code)) return {}"],
    ['TIMEOUTS.has(code)) return { kind: "unknown" }', 'TIMEOUTS.has(code)) return { kind: "" }'],
    ['TIMEOUTS.has(code)) return { kind: "unknown" }', "TIMEOUTS.has(code)) return {}"],
    ['mayRecover) return { kind: "unknown"', 'mayRecover) return { kind: ""'],
  ].map(([search = "", replace = ""]) => ({
    file: "src/store/s3/outcomes.ts",
    search,
    replace,
    why: "every verdict that is not a refusal is told as unknown",
  })),
];
