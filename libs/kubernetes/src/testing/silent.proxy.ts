import { once } from 'node:events';
import net from 'node:net';

/** Stands between a client and a server, and can behave like a bad network. */
export class SilentProxy {
  /** Connections made through it so far. */
  connections = 0;
  private readonly pairs = new Set<[net.Socket, net.Socket]>();
  private refuses = false;

  private constructor(
    private readonly server: net.Server,
    private readonly target: { host: string; port: number },
  ) {
    server.on('connection', (client) => this.join(client));
  }

  /** Listens on a free port of 127.0.0.1 and passes everything on to the host and port of `url`. */
  static async to(url: string): Promise<SilentProxy> {
    const { hostname, port } = new URL(url);
    const server = net.createServer();
    const proxy = new SilentProxy(server, { host: hostname, port: Number(port) });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.server.address() as net.AddressInfo).port}`;
  }

  /** Passes nothing on any more over the connections that there are, and tells nobody: what a network does whose firewall forgot them. */
  silence(): void {
    for (const [client, upstream] of this.pairs) {
      client.unpipe(upstream);
      upstream.unpipe(client);
    }
  }

  /** Ends every connection and lets nobody in. */
  refuse(): void {
    this.refuses = true;
    for (const [client, upstream] of this.pairs) {
      client.destroy();
      upstream.destroy();
    }
  }

  /** Lets clients in again. */
  accept(): void {
    this.refuses = false;
  }

  async stop(): Promise<void> {
    this.refuse();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(client: net.Socket): void {
    if (this.refuses) return void client.destroy();
    this.connections++;
    const upstream = net.connect(this.target);
    const pair: [net.Socket, net.Socket] = [client, upstream];
    this.pairs.add(pair);
    client.pipe(upstream).pipe(client);
    for (const [socket, other] of [[client, upstream], [upstream, client]] as const) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        other.destroy();
        this.pairs.delete(pair);
      });
    }
  }
}
