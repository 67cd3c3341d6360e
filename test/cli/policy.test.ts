import { expect, test } from "vitest";
import { cli } from "./cli.js";
import { cliHere } from "./here.js";

const documents = async (...args: string[]) => JSON.parse((await cliHere(["policy", "--json", ...args])).stdout);

const allOf = (ending: string) =>
  ["", "once/", "semaphores/"].map((folder) => `arn:aws:s3:::my-bucket/${folder}team/locks/${ending}`);

test("C8: JSON: the actions that locks, runOnce() and semaphores need, on exactly this bucket and their prefixes", async () => {
  const { iam, lifecycle, bucket } = await documents("s3://my-bucket/team/locks/");
  expect(iam).toEqual({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "Locks",
        Effect: "Allow",
        Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        Resource: allOf("*"),
      },
      { Sid: "MissingLocksAre404", Effect: "Allow", Action: "s3:ListBucket", Resource: "arn:aws:s3:::my-bucket" },
    ],
  });
  expect(lifecycle.Rules).toEqual([
    {
      ID: "s3-mutex",
      Status: "Enabled",
      Filter: { Prefix: "team/locks/" },
      Expiration: { Days: 1 },
      NoncurrentVersionExpiration: { NoncurrentDays: 1 },
    },
    {
      ID: "s3-mutex-markers",
      Status: "Enabled",
      Filter: { Prefix: "team/locks/" },
      Expiration: { ExpiredObjectDeleteMarker: true },
    },
  ]);
  expect(bucket.Statement).toMatchObject([
    {
      Effect: "Deny",
      Action: "s3:PutObject",
      Resource: allOf("*"),
      Condition: { Null: { "s3:if-match": "true", "s3:if-none-match": "true" } },
    },
    {
      Effect: "Deny",
      Action: "s3:DeleteObject",
      Resource: allOf("*.json"),
      Condition: { Null: { "s3:if-match": "true" } },
    },
  ]);
});

test("what differs: partition, KMS, days, what doctor reads, characters that mean something in a policy", async () => {
  const { iam, lifecycle } = await documents(
    ...["--region", "cn-north-1", "--kms-key", "arn:aws-cn:kms:cn-north-1:1:key/k", "--days", "7", "--with-doctor"],
    ...["--once-prefix", "runs/", "--semaphore-prefix", "pools/", "--prefix", "a*b/", "s3://my-bucket"],
  );
  expect(iam.Statement.map(({ Resource }: { Resource: string }) => Resource)).toEqual([
    [
      // biome-ignore lint/suspicious/noTemplateCurlyInString: as IAM writes an asterisk.
      "arn:aws-cn:s3:::my-bucket/a${*}b/*",
      "arn:aws-cn:s3:::my-bucket/runs/*",
      "arn:aws-cn:s3:::my-bucket/pools/*",
    ],
    "arn:aws-cn:s3:::my-bucket",
    "arn:aws-cn:s3:::my-bucket",
    "arn:aws-cn:kms:cn-north-1:1:key/k",
  ]);
  expect(lifecycle.Rules[0]).toMatchObject({ Filter: { Prefix: "a*b/" }, Expiration: { Days: 7 } });
});

test("S3 Express has one action, and no policy for single keys", async () => {
  const { iam, bucket } = await documents("s3://locks--use1-az4--x-s3/locks/");
  expect(iam.Statement).toMatchObject([{ Action: "s3express:CreateSession" }]);
  expect(bucket).toBeNull();
});

test.each(["iam", "lifecycle", "bucket"])("--only %s prints that document alone", async (only) => {
  const { exitCode, stdout, stderr } = await cliHere(["policy", "--only", only], { S3_MUTEX_STORE: "s3://my-bucket" });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(JSON.parse(stdout)).toEqual((await documents("s3://my-bucket"))[only]);
});

test("for people: each document with what it is for", async () => {
  const { stdout } = await cli(["policy", "s3://my-bucket/locks/"]);
  expect(stdout).toMatch(/^# iam\n# An IAM policy [\s\S]+\n# lifecycle\n[\s\S]+\n# bucket\n# Optional: /);
  const parts = stdout.split(/^#.*\n/m).filter((part) => part.trim() !== "");
  expect(parts.map((part) => Object.keys(JSON.parse(part)))).toEqual([
    ["Version", "Statement"],
    ["Rules"],
    ["Version", "Statement"],
  ]);
});

test.each([
  [["policy", "s3://My_Bucket/locks/"], '"My_Bucket" is not a bucket name'],
  [["policy", "--only", "all", "s3://my-bucket"], "use iam or lifecycle or bucket"],
  [["policy"], "Which store?"],
])("%j is a usage error", async (args, message) => {
  expect(await cliHere(args)).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(message) });
});

test.each([
  ["", [], "all objects of the bucket", "give locks a prefix of their own (`--prefix locks/`)"],
  ["once/", [], "the results of runOnce() under once/once/", "(`--once-prefix`)"],
  ["locks/", ["--once-prefix", "locks/once/"], "the results of runOnce() under locks/once/", 'begin with "locks/"'],
  ["semaphores/", [], "the semaphores under semaphores/semaphores/", "(`--semaphore-prefix`)"],
])(
  "C8: a lifecycle rule for %j, which would expire more than locks, is not printed",
  async (prefix, more, reached, remedy) => {
    const line = ["policy", "--prefix", prefix, ...more, "s3://my-bucket"];
    const alone = await cliHere([...line, "--only", "lifecycle"]);
    expect(alone).toMatchObject({
      exitCode: 2,
      stdout: "",
      stderr: expect.stringContaining(`would expire ${reached}`),
    });
    const { exitCode, stdout, stderr } = await cliHere([...line, "--json"]);
    expect({ exitCode, lifecycle: JSON.parse(stdout).lifecycle }).toEqual({ exitCode: 0, lifecycle: null });
    expect(stderr).toContain(`${reached} as well: give `);
    expect(stderr).toContain(remedy);
  },
);
