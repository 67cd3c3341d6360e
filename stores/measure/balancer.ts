import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/**
 * What stands in front of several gateways in real life: one address, a connection goes to the next gateway that takes it, and
 * breaks when its gateway does.
 */
export class Balancer {
  readonly #ports: readonly number[];
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #next = 0;

  private constructor(ports: readonly number[]) {
    this.#ports = ports;
    this.#server = createServer((client) => this.#connect(client, this.#ports.length));
  }

  static async start(endpoints: readonly string[]): Promise<Balancer> {
    const balancer = new Balancer(endpoints.map((endpoint) => Number(new URL(endpoint).port)));
    await once(balancer.#server.listen(0, "127.0.0.1"), "listening");
    return balancer;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server.close(), "close");
  }

  #connect(client: Socket, triesLeft: number): void {
    const port = this.#ports[this.#next % this.#ports.length] ?? 0;
    this.#next += 1;
    const gateway = connect(port, "127.0.0.1");
    let isConnected = false;
    gateway.on("connect", () => {
      isConnected = true;
      client.pipe(gateway).pipe(client);
    });
    gateway.on("error", () => {
      if (isConnected || triesLeft <= 1) client.destroy();
      else this.#connect(client, triesLeft - 1);
    });
    client.on("error", () => gateway.destroy());
    for (const [socket, other] of [
      [client, gateway],
      [gateway, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        if (socket === client || isConnected) other.destroy();
      });
    }
  }
}
