import { pipInstall } from "../host/packages.js";
import type { StoreKind } from "../kind.js";
import { starting } from "./single-server.js";

const credentials = { accessKeyId: "s3mutex", secretAccessKey: "s3mutex-secret" };

export const moto: StoreKind = {
  name: "moto",
  title: "moto",
  isInShortForm: true,
  isRequired: false,
  knownFault: "checks and writes without a lock, by its code; in two of our five runs two of 16 racers won",
  source: "pip install moto[s3,server]",
  async install() {
    const version = "5.2.5";
    const command = await pipInstall("moto_server", version, [`moto[s3,server]==${version}`]);
    return { version, start: starting({ command, args: (port) => ["-H", "127.0.0.1", "-p", String(port)] }) };
  },
};

export const ministack: StoreKind = {
  name: "ministack",
  title: "ministack",
  isInShortForm: true,
  isRequired: false,
  source: "pip install ministack",
  async install() {
    const version = "1.5.33";
    const command = await pipInstall("ministack", version, [`ministack==${version}`]);
    const env = (port: number) => ({ BIND_HOST: "127.0.0.1", GATEWAY_PORT: String(port), SERVICES: "s3" });
    return { version, start: starting({ command, args: () => [], env }) };
  },
};

export const localbucket: StoreKind = {
  name: "localbucket",
  title: "localbucket",
  isInShortForm: true,
  isRequired: false,
  source: "pip install localbucket",
  async install() {
    const version = "1.2.1";
    const command = await pipInstall("localbucket", version, [`localbucket==${version}`]);
    return { version, start: starting({ command, args: (port, folder) => ["--port", String(port), folder] }) };
  },
};

export const nanio: StoreKind = {
  name: "nanio",
  title: "nanio",
  isInShortForm: true,
  isRequired: false,
  source: "pip install nanio uvicorn",
  async install() {
    const version = "0.1.7";
    const command = await pipInstall("nanio", version, [`nanio==${version}`, "uvicorn==0.54.0"]);
    return {
      version,
      start: starting({
        command,
        args: (port, folder) => ["serve", "--data-dir", folder, "--host", "127.0.0.1", "--port", String(port)],
        env: { NANIO_ACCESS_KEY: credentials.accessKeyId, NANIO_SECRET_KEY: credentials.secretAccessKey },
        credentials,
      }),
    };
  },
};
