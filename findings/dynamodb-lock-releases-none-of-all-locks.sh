#!/usr/bin/env bash
# @deliveryhero/dynamodb-lock: releaseAllLocks() releases nothing, and says that it has.
#
# Its README has it release all locks of the process, for a graceful shutdown. It resolves without a single request: the renewals end, and the
# records stay in the table as they were. After a deployment, what waits for one of these locks waits for its whole lease, as after a crash.
# releaseLock() of each lock deletes its record.
#
# Seen with @deliveryhero/dynamodb-lock 2.0.0, on dynalite 4.0.0 (npm), on Node 20, 22, 24 and 26, 2026-11-30.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent @deliveryhero/dynamodb-lock@2.0.0 dynalite@4.0.0 \
  @aws-sdk/client-dynamodb@3.1000.0 @aws-sdk/lib-dynamodb@3.1000.0

cat >release.mjs <<'JS'
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";
import { dynamoDBLockClientFactory } from "@deliveryhero/dynamodb-lock";
import dynalite from "dynalite";

const server = dynalite({ createTableMs: 1 });
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const client = new DynamoDBClient({
  endpoint: `http://127.0.0.1:${server.address().port}`,
  region: "us-east-1",
  credentials: { accessKeyId: "key", secretAccessKey: "secret" },
});
const TableName = "LockTable";
const attributes = ["lockId", "lockGroup"];
await client.send(
  new CreateTableCommand({
    TableName,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: attributes.map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
    KeySchema: attributes.map((AttributeName, index) => ({ AttributeName, KeyType: index === 0 ? "HASH" : "RANGE" })),
  }),
);
while ((await client.send(new DescribeTableCommand({ TableName }))).Table.TableStatus !== "ACTIVE");

const table = DynamoDBDocument.from(client, { marshallOptions: { removeUndefinedValues: true } });
async function show(what) {
  const { Items } = await table.scan({ TableName });
  console.log(`${what}: ${Items.map(({ lockId }) => lockId).sort().join(", ")}`);
}

let requests = 0;
client.middlewareStack.add((next) => (args) => next(args, requests++), { step: "initialize" });
const locks = dynamoDBLockClientFactory(table);
const options = { leaseDurationInMs: 60_000 };
const first = await locks.lock("jobs", "first", options);
await locks.lock("jobs", "second", options);
await locks.lock("jobs", "third", options);
await show("held");
await locks.releaseLock(first);
await show("held after releaseLock(first)");
requests = 0;
await locks.releaseAllLocks();
console.log(`requests of releaseAllLocks(): ${requests}`);
await show("held after it");
process.exit(0);
JS
node release.mjs 2>err.txt | tee seen.txt || cat err.txt
diff seen.txt - <<'SEEN'
held: first, second, third
held after releaseLock(first): second, third
requests of releaseAllLocks(): 0
held after it: second, third
SEEN
