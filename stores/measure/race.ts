import { randomUUID } from "node:crypto";
import { GetObjectCommand, PutObjectCommand, S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";

export interface RaceResult {
  readonly clients: number;
  readonly rounds: number;
  /** Rounds by how many clients were told that they had won. */
  readonly winners: Readonly<Record<string, number>>;
  /** Rounds after which the object was not that of the only winner. */
  readonly wrongObject: number;
  /** What the losers were answered, by status. */
  readonly losers: Readonly<Record<string, number>>;
}

/**
 * Races writes without this library in between: each round is one key and one write of each client, all at once. Clients are spread over
 * the gateways.
 */
export async function race(
  configs: readonly S3ClientConfig[],
  bucketName: string,
  kind: "create" | "replace",
  size: { readonly clients: number; readonly rounds: number },
): Promise<RaceResult> {
  const clients = Array.from({ length: size.clients }, (_, n) => clientOf(configs[n % configs.length] ?? {}));
  try {
    const form = kind === "replace" ? await etagForm(clients[0] as S3Client, bucketName) : (etag: string) => etag;
    const winners: Record<string, number> = {};
    const losers: Record<string, number> = {};
    let wrongObject = 0;
    for (let round = 0; round < size.rounds; round += 1) {
      const outcome = await oneRound(clients, bucketName, kind === "create" ? undefined : form);
      increase(winners, String(outcome.won.length));
      for (const status of outcome.lost) increase(losers, status);
      if (outcome.won.length === 1 && outcome.won[0] !== outcome.landed) wrongObject += 1;
    }
    return { ...size, winners, wrongObject, losers };
  } finally {
    for (const client of clients) client.destroy();
  }
}

/** Says whether there was exactly one winner in every round, and its object in the end. */
export function isFair({ winners, wrongObject, rounds }: RaceResult): boolean {
  return winners["1"] === rounds && wrongObject === 0;
}

async function oneRound(
  clients: readonly S3Client[],
  Bucket: string,
  form: ((etag: string) => string) | undefined,
): Promise<{ readonly won: string[]; readonly lost: string[]; readonly landed: string }> {
  const [first] = clients as [S3Client];
  const Key = `race/${randomUUID()}`;
  const condition = form === undefined ? { IfNoneMatch: "*" } : { IfMatch: form(await put(first, Bucket, Key)) };
  const attempts = clients.map(async (client, n) => {
    try {
      await client.send(new PutObjectCommand({ Bucket, Key, Body: `racer ${n}`, ...condition }));
      return { won: `racer ${n}` };
    } catch (error) {
      return { lost: String((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode) };
    }
  });
  const outcomes = await Promise.all(attempts);
  const { Body } = await first.send(new GetObjectCommand({ Bucket, Key }));
  return {
    won: outcomes.flatMap(({ won }) => won ?? []),
    lost: outcomes.flatMap(({ lost }) => lost ?? []),
    landed: (await Body?.transformToString()) ?? "",
  };
}

/** Finds the form of ETags that the store takes: quoted, unless it refuses that. */
async function etagForm(client: S3Client, Bucket: string): Promise<(etag: string) => string> {
  const Key = `race/${randomUUID()}`;
  const quoted = await put(client, Bucket, Key);
  const replace = new PutObjectCommand({ Bucket, Key, Body: "second", IfMatch: quoted });
  const accepted = await client.send(replace).then(
    () => true,
    () => false,
  );
  return accepted ? (etag) => etag : (etag) => etag.replaceAll('"', "");
}

async function put(client: S3Client, Bucket: string, Key: string): Promise<string> {
  const { ETag } = await client.send(new PutObjectCommand({ Bucket, Key, Body: randomUUID() }));
  return ETag ?? "";
}

function clientOf(config: S3ClientConfig): S3Client {
  const sparing = { requestChecksumCalculation: "WHEN_REQUIRED", responseChecksumValidation: "WHEN_REQUIRED" } as const;
  return new S3Client({ ...config, ...sparing, maxAttempts: 1 });
}

function increase(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
