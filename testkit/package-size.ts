/**
 * What may be downloaded, packed. The locks alone had 150 KB; the dashboard, doctor, the other primitives, the same for CommonJS, virtual
 * time, semaphores of a thousand and the proofs of a safe store came on top: 480 KB. The guide is another 80 KB, the open port and
 * `s3-mutex/fetch`, for both module systems, 8 KB. Declarations of what is internal are left out (scripts/declarations.mjs), which made
 * room for `s3-mutex/port`, `s3-mutex/r2` and the page of the wire format, which tells how to set up a bucket. The decisions of a client as
 * functions of their own (`core/client`) are 8 KB more, what tells users of their slips 4 KB, and what an examination and an adapter may not
 * say 8 KB, until the build bundles. That no work begins under what is lost, what rules of a bucket reach, and the ways out of Web Locks are
 * 8 KB, with 4 KB to spare. What a busy store does not say, and who is in the way of a caller, in words, are 8 KB. What a check tells others, by
 * which proxy a client goes, and what only a release tells are 8 KB.
 */
export const PACKED_MAX_KB = 480 + 80 + 8 + 8 + 4 + 8 + 8 + 4 + 8 + 8;
