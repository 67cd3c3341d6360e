import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand, whichProgram } from "../host/commands.js";
import { freePorts } from "../host/ports.js";
import { answersHttp, isListening, Server } from "../host/servers.js";
import { type Gateway, NotInstallable, type RunningStore, type StartOptions, type StoreKind } from "../kind.js";

const PROGRAMS = ["ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "monmaptool", "ceph"];
const CREDENTIALS = { accessKeyId: "s3mutex", secretAccessKey: "s3mutex-secret" };

/** Ceph with one monitor, one OSD in memory and as many gateways as wanted. Needs neither root nor block devices to run. */
export const ceph: StoreKind = {
  name: "ceph",
  title: "Ceph RGW",
  isInShortForm: true,
  isRequired: true,
  isKnownToBeSafe: true,
  source: "Debian packages ceph-mon, ceph-osd, radosgw",
  async install() {
    if (missing().length > 0) await installPackages();
    const said = await runCommand("radosgw", ["--version"]);
    return { version: /version (\S+)/.exec(said)?.[1] ?? said.trim(), start };
  },
};

function missing(): readonly string[] {
  return PROGRAMS.filter((program) => whichProgram(program) === undefined);
}

async function installPackages(): Promise<void> {
  if (whichProgram("apt-get") === undefined) throw new NotInstallable("there is no apt-get to install Ceph with");
  const packages = ["ceph-mon", "ceph-osd", "radosgw"];
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const apt = (...args: readonly string[]) =>
    runCommand("apt-get", ["-o", "DPkg::Lock::Timeout=300", ...args], { env });
  const install = ["install", "-y", "--no-install-recommends", ...packages];
  await apt("update", "-q");
  // Another apt may have emptied the folder of downloads in the middle of ours: once more settles that.
  await apt(...install).catch(() => apt(...install));
}

/** What has to stay the same while data is kept. */
interface Identity {
  readonly fsid: string;
  readonly osd: string;
  readonly monitorPorts: readonly number[];
}

async function start({ ports, dataFolder, keepData, gateways }: StartOptions): Promise<RunningStore> {
  const identityFile = join(dataFolder, "identity.json");
  const isNew = !existsSync(identityFile);
  const identity = isNew ? await newIdentity() : (JSON.parse(readFileSync(identityFile, "utf8")) as Identity);
  const spare = await freePorts(gateways);
  const gatewayPorts = spare.map((port, index) => ports[index] ?? port);
  for (const folder of ["mon", "osd", "rgw", "log", "crash"]) mkdirSync(join(dataFolder, folder), { recursive: true });
  const config = join(dataFolder, "ceph.conf");
  writeFileSync(config, configuration(dataFolder, identity, gatewayPorts));

  const cluster = new Cluster(dataFolder, config, keepData ? 30_000 : 0);
  try {
    await cluster.startMonitor(identity, isNew);
    await cluster.startOsd(identity, isNew);
    const running = await cluster.startGateways(gatewayPorts);
    if (isNew) await cluster.createUser();
    writeFileSync(identityFile, JSON.stringify(identity));
    return { gateways: running, credentials: CREDENTIALS, region: "us-east-1", stop: () => cluster.stop() };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

async function newIdentity(): Promise<Identity> {
  return { fsid: randomUUID(), osd: randomUUID(), monitorPorts: await freePorts(2) };
}

class Cluster {
  readonly #folder: string;
  readonly #config: string;
  readonly #patienceMs: number;
  /** In the order in which they were started. */
  readonly #servers: Server[] = [];

  constructor(folder: string, config: string, patienceMs: number) {
    this.#folder = folder;
    this.#config = config;
    this.#patienceMs = patienceMs;
  }

  async startMonitor({ fsid, monitorPorts }: Identity, isNew: boolean): Promise<void> {
    const map = join(this.#folder, "monmap");
    if (isNew) {
      await runCommand("monmaptool", [
        "--create",
        "--clobber",
        "--fsid",
        fsid,
        "--addv",
        "a",
        address(monitorPorts),
        map,
      ]);
      await runCommand("ceph-mon", ["--mkfs", "-i", "a", "-c", this.#config, "--monmap", map]);
    }
    const monitor = this.#serve("ceph-mon", "-i", "a");
    await monitor.ready(() => isListening(monitorPorts[1] ?? 0));
  }

  async startOsd({ osd }: Identity, isNew: boolean): Promise<void> {
    if (isNew) {
      await this.#ceph("osd", "new", osd);
      await runCommand("ceph-osd", ["--mkfs", "-i", "0", "-c", this.#config, "--osd-uuid", osd]);
    }
    const server = this.#serve("ceph-osd", "-i", "0");
    await server.ready(async () => /\b1 up\b/.test(await this.#ceph("osd", "stat")));
  }

  async startGateways(ports: readonly number[]): Promise<Gateway[]> {
    const gateways: Gateway[] = [];
    for (const [index, port] of ports.entries()) gateways.push(await this.#startGateway(index, port));
    return gateways;
  }

  async createUser(): Promise<void> {
    const { accessKeyId, secretAccessKey } = CREDENTIALS;
    const keys = [`--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`];
    const user = ["user", "create", "--uid=s3mutex", "--display-name=s3mutex", ...keys];
    await runCommand("radosgw-admin", ["-c", this.#config, "-n", "client.rgw.0", ...user]);
  }

  async stop(): Promise<void> {
    for (const server of this.#servers.toReversed()) await server.stop(this.#patienceMs);
  }

  async #startGateway(index: number, port: number): Promise<Gateway> {
    let server: Server;
    const restart = async () => {
      server = this.#serve("radosgw", "-n", `client.rgw.${index}`);
      await server.ready(() => answersHttp(port), 120_000);
    };
    await restart();
    return { endpoint: `http://127.0.0.1:${port}`, kill: () => server.stop(0), restart };
  }

  #ceph(...args: readonly string[]): Promise<string> {
    return runCommand("ceph", ["-c", this.#config, "--connect-timeout", "30", ...args]);
  }

  #serve(program: string, ...args: readonly string[]): Server {
    const logFile = join(this.#folder, "log", `${program}.out`);
    const server = new Server(program, ["-f", ...args, "-c", this.#config], { logFile });
    this.#servers.push(server);
    return server;
  }
}

function address([v2, v1]: readonly number[]): string {
  return `[v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}]`;
}

/**
 * Writes the configuration. Without `crc` the gateway never connects to a monitor without authentication; without `tcp_nodelay` each small
 * answer waits for 40 ms.
 */
function configuration(folder: string, { fsid, monitorPorts }: Identity, gatewayPorts: readonly number[]): string {
  const gateways = gatewayPorts.map(
    (port, index) => `
[client.rgw.${index}]
rgw data = ${folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:${port} tcp_nodelay=1
rgw thread pool size = 64
`,
  );
  return `[global]
fsid = ${fsid}
mon host = ${address(monitorPorts)}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
log file = ${folder}/log/$name.log
admin socket = ${folder}/$name.$pid.asok
crash dir = ${folder}/crash
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
[mon]
mon data = ${folder}/mon
mon data avail crit = 1
paxos propose interval = 0.02
paxos min wait = 0.01
[osd]
osd data = ${folder}/osd
osd objectstore = memstore
memstore device bytes = 2147483648
${gateways.join("")}`;
}
