/** A store that no run of ours has met: what others say of it, and where. */
export interface DocumentedStore {
  readonly title: string;
  readonly create: string;
  readonly replace: string;
  readonly remove: string;
  readonly remarks: string;
  readonly source: string;
}

const issue = (repository: string, number: number) =>
  `[${repository}#${number}](https://github.com/${repository}/issues/${number})`;

const GUIDE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide";

/** As of November 2026. */
export const ELSEWHERE: readonly DocumentedStore[] = [
  {
    title: "AWS S3",
    create: "yes",
    replace: "yes; 404 for a missing key",
    remove: "yes, since 2025-09",
    remarks: "409 for a lost race now and then",
    source: `[conditional writes](${GUIDE}/conditional-writes.html), [deletes](${GUIDE}/conditional-deletes.html)`,
  },
  {
    title: "AWS S3 Express One Zone",
    create: "yes",
    replace: "yes",
    remove: "yes, since 2024-11",
    remarks: "listings need a prefix that ends in `/`",
    source: `[differences](${GUIDE}/s3-express-differences.html)`,
  },
  {
    title: "Cloudflare R2",
    create: "yes",
    replace: "yes",
    remove: "not documented",
    remarks: "one write a second on a key, 429 beyond; whether races are decided is not documented",
    source: `[conditional operations](https://developers.cloudflare.com/r2/api/s3/conditional-operations), ${issue("cloudflare/cloudflare-docs", 32793)}`,
  },
  {
    title: "Tigris",
    create: "yes",
    replace: "yes",
    remove: "not known",
    remarks: "a race was lost before 2026-04; across regions it needs the header `X-Tigris-Consistent: true`",
    source: issue("gordonmurray/firnflow", 27),
  },
  {
    title: "DigitalOcean Spaces",
    create: "yes",
    replace: "only an ETag without quotes",
    remove: "not known",
    remarks: "the library finds the form of the ETag out",
    source: issue("slatedb/slatedb", 1818),
  },
  {
    title: "Backblaze B2",
    create: "no, 501",
    replace: "no, 501",
    remove: "not known",
    remarks: "unusable; refused as `store-unsafe`",
    source: issue("hashicorp/terraform", 37143),
  },
  {
    title: "Garage",
    create: "ignored",
    replace: "ignored",
    remove: "ignored",
    remarks: "unsafe by design: it has no consensus",
    source: "[its documentation](https://garagehq.deuxfleurs.fr/documentation/reference-manual/known-issues/)",
  },
  {
    title: "Google Cloud Storage, S3 interoperability",
    create: "ignored (reported)",
    replace: "ignored (reported)",
    remove: "ignored (reported)",
    remarks: "unsafe: it has conditions of its own, in other headers",
    source: `[request preconditions](https://docs.cloud.google.com/storage/docs/request-preconditions), ${issue("Gusto/baerly-storage", 52)}`,
  },
  {
    title: "Oracle OCI",
    create: "ignored",
    replace: "ignored",
    remove: "not known",
    remarks: "unsafe",
    source: "[reisepass/zeropg](https://github.com/reisepass/zeropg), STORAGE-BACKENDS.md",
  },
  {
    title: "Alibaba OSS",
    create: "no, 501",
    replace: "no, 501",
    remove: "not known",
    remarks: "unusable; refused as `store-unsafe`",
    source: issue("tobi/walgit", 67),
  },
  {
    title: "OVHcloud Object Storage",
    create: "yes, since 2026-06",
    replace: "yes, since 2026-06",
    remove: "yes, since 2026-06",
    remarks: "501 before",
    source: `${issue("ovh/public-cloud-roadmap", 671)}, ${issue("ovh/ovhcloud-docs", 28)}`,
  },
  {
    title: "Scaleway Object Storage",
    create: "yes, since 2026-05",
    replace: "yes, since 2026-05",
    remove: "not known",
    remarks: "whether races are decided is not documented",
    source:
      "[conditional writes](https://www.scaleway.com/en/docs/object-storage/api-cli/using-conditional-writes/), " +
      issue("scaleway/docs-content", 6533),
  },
  {
    title: "Selectel",
    create: "yes; a delete marker counts as absent",
    replace: "yes",
    remove: "yes",
    remarks: "",
    source: "[conditional requests](https://docs.selectel.ru/en/s3/objects/conditional-requests/)",
  },
  {
    title: "CoreWeave AI Object Storage",
    create: "yes",
    replace: "yes",
    remove: "not known",
    remarks: "409 for the loser of a race of creations",
    source: "[release notes](https://docs.coreweave.com/release-notes/ai-object-storage-conditional-writes)",
  },
  {
    title: "Storj",
    create: "yes",
    replace: "not known",
    remove: "not known",
    remarks: "unusable while `If-Match` is not there: `If-None-Match` is what was asked for and built",
    source: `${issue("storj/edge", 562)}, ${issue("storj/storj", 7377)}`,
  },
  {
    title: "Hetzner Object Storage",
    create: "no (reported)",
    replace: "no (reported)",
    remove: "not known",
    remarks: "one program for fencing on buckets lists it as disqualified; ask `verifyStore` before anything else",
    source: issue("coollabsio/maxio", 20),
  },
  {
    title: "Incus 7.2 storage buckets",
    create: "ignored",
    replace: "not known",
    remove: "not known",
    remarks: "unsafe",
    source: issue("lxc/incus", 3651),
  },
  {
    title: "IBM Cloud Object Storage, StorageGRID",
    create: "not known",
    replace: "not known",
    remove: "not known",
    remarks: "ask `verifyStore` first",
    source: "nothing was found",
  },
  {
    title: "IDrive e2",
    create: "not documented",
    replace: "not documented",
    remove: "not documented",
    remarks: "its guide lists operations and no conditions; ask `verifyStore` first",
    source: "[S3 developer guide](https://www.idrive.com/e2/guides/s3_developer_guide.htm)",
  },
  {
    title: "Wasabi",
    create: "not documented",
    replace: "not documented",
    remove: "not documented",
    remarks: "ask `verifyStore` first",
    source: "nothing was found",
  },
  {
    title: "LocalStack 4.14",
    create: "yes",
    replace: "yes",
    remove: "no, 501",
    remarks: "by its code, under a lock; for tests",
    source: "its source, read",
  },
];
