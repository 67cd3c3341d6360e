import { onTestFinished } from "vitest";
import { type DashboardSettings, openDashboard } from "../../src/cli/ui/run-dashboard.js";
import { type S3Server, startS3Server } from "../../src/testing/index.js";
import { BUCKET } from "./records.js";

/** The page as users have it. */
const SCRIPT = new URL("../../dist/cli/ui/page/main.js", import.meta.url);

export interface Scene {
  readonly server: S3Server;
  /** As it is printed, with the token. */
  readonly url: string;
  readonly origin: string;
  readonly token: string;
}

/** Opens a store and a dashboard over it; both are gone when the test is over. */
export async function openScene(settings: Partial<DashboardSettings> = {}): Promise<Scene> {
  const server = await startS3Server({ buckets: [BUCKET] });
  const dashboard = await openDashboard({
    mutex: { s3ClientConfig: server.clientConfig(), bucketName: BUCKET },
    storeName: `s3://${BUCKET}/locks/`,
    host: "127.0.0.1",
    port: 0,
    intervalMs: 250,
    isReadOnly: false,
    script: SCRIPT,
    ...settings,
  });
  onTestFinished(async () => {
    await dashboard.close();
    await server.close();
  });
  const { origin, searchParams } = new URL(dashboard.url);
  return { server, url: dashboard.url, origin, token: searchParams.get("token") ?? "" };
}
