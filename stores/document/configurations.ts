/** What a user of a store copies. */
export interface Configuration {
  readonly title: string;
  readonly code: string;
  readonly remark?: string;
}

function mutexOver(config: string): string {
  return `const mutex = new S3Mutex({
  bucketName: "my-bucket",
  s3ClientConfig: ${config},
});`;
}

const local = (port: number) =>
  mutexOver(`{
    endpoint: "http://localhost:${port}",
    region: "us-east-1",
    forcePathStyle: true,
  }`);

const hosted = (endpoint: string, region: string) =>
  mutexOver(`{
    endpoint: "${endpoint}",
    region: "${region}",
  }`);

export const CONFIGURATIONS: readonly Configuration[] = [
  {
    title: "AWS S3",
    code: mutexOver('{ region: "eu-central-1" }'),
  },
  {
    title: "AWS S3 Express One Zone",
    code: `const mutex = new S3Mutex({
  bucketName: "my-bucket--euc1-az1--x-s3",
  keyPrefix: "locks/", // has to end in a slash
  s3ClientConfig: { region: "eu-central-1" },
});`,
  },
  {
    title: "Cloudflare R2",
    code: `const mutex = new S3Mutex({
  bucketName: "my-bucket",
  lockTimeoutMs: 120_000,
  s3ClientConfig: {
    endpoint: "https://ACCOUNT_ID.r2.cloudflarestorage.com",
    region: "auto",
  },
});`,
    remark:
      "One write a second on a key: with five clients that take turns, a turn takes 3 to 6 s (in virtual time, `test/stores/one-write-a-second.test.ts`). A long lease means few renewals, which are writes. The very first lock of a prefix takes two seconds longer there, and three requests that are refused (9 instead of 6 until it is held, `test/safety/checked-store.test.ts`): the check of the store tries its conditions on one key.",
  },
  {
    title: "Ceph RGW",
    code: local(7480),
    remark:
      "`rgw frontends = beast port=7480 tcp_nodelay=1` in ceph.conf: without `tcp_nodelay` a GET of Ceph 16 took 48 ms instead of 2. Several gateways to the same data are safe. **Only in a bucket in which versioning was never enabled**: see the table above.",
  },
  {
    title: "MinIO",
    code: local(9000),
    remark: "2025-09-06 or later; the project has been archived since. Leases of 45 s or more outlive a slow upload.",
  },
  {
    title: "SeaweedFS",
    code: local(8333),
    remark:
      "4.17 or later. `-volume.max=200` where there are several buckets: with the default of 8 volumes the third answers 500.",
  },
  { title: "Tigris", code: hosted("https://t3.storage.dev", "auto"), remark: "Keep the bucket in one region." },
  { title: "DigitalOcean Spaces", code: hosted("https://fra1.digitaloceanspaces.com", "us-east-1") },
  { title: "OVHcloud Object Storage", code: hosted("https://s3.gra.io.cloud.ovh.net", "gra") },
  { title: "Scaleway Object Storage", code: hosted("https://s3.fr-par.scw.cloud", "fr-par") },
  { title: "Selectel", code: hosted("https://s3.ru-1.storage.selcloud.ru", "ru-1") },
  { title: "CoreWeave AI Object Storage", code: hosted("https://cwobject.com", "US-EAST-04A") },
  {
    title: "Wasabi, IDrive e2, IBM Cloud Object Storage, StorageGRID",
    code: hosted("https://s3.eu-central-1.wasabisys.com", "eu-central-1"),
    remark: "Wasabi's endpoint, as an example. None is documented to be safe: ask `verifyStore` first.",
  },
  {
    title:
      "versitygw, ministack, gofakes3, LocalStack, moto, Adobe S3Mock, S3Proxy on files or in memory, s3s-fs, rclone serve s3",
    code: local(7070),
    remark:
      "Most are for tests of other things; see the verdicts above, and lock on none that loses races. `s3-mutex/testing` has a server whose conditions hold.",
  },
];

/** Those for which there is none, and why. */
export const WITHOUT =
  "Backblaze B2, Garage, Google Cloud Storage by its S3 interoperability, Oracle OCI, Alibaba OSS, Incus 7.2 storage buckets, OpenStack Swift, localbucket, fauxqs, nanio and s3rver cannot hold locks as things stand, whatever the configuration. Of Storj and Hetzner Object Storage one report each says the same: ask `doctor` first.";
