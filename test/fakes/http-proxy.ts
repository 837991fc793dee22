import { createServer, request as forward } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

export interface HttpProxy {
  readonly url: string;
  readonly port: number;
  /** What was asked: `CONNECT host:port`, or method and absolute address. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/**
 * A forward proxy: CONNECT for tunnels, absolute form for plain HTTP. Whatever host is asked for, loopback at `port` answers, so
 * that targets may have names that resolve nowhere. With `credentials` (`user:password`) others get 407.
 */
export const openHttpProxy = async (port: number, credentials?: string): Promise<HttpProxy> => {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const expected = credentials && `Basic ${Buffer.from(credentials).toString("base64")}`;
  const refused = (header: string | undefined): boolean => expected !== undefined && header !== expected;

  const server = createServer((message, response) => {
    asked.push(`${message.method} ${message.url}`);
    if (refused(message.headers["proxy-authorization"])) {
      response.writeHead(407).end();
      return;
    }
    const { pathname, search } = new URL(message.url ?? "/", "http://none");
    const onward = forward(
      { host: "127.0.0.1", port, method: message.method, path: pathname + search, headers: message.headers },
      (reply) => {
        response.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(response);
      },
    );
    onward.on("error", () => response.destroy());
    message.pipe(onward);
  });
  server.on("connect", (message, client: Socket, head) => {
    asked.push(`CONNECT ${message.url}`);
    if (refused(message.headers["proxy-authorization"])) {
      client.end("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    const onward = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      onward.write(head);
      onward.pipe(client).pipe(onward);
    });
    sockets.add(onward);
    onward.on("error", () => client.destroy());
    client.on("error", () => onward.destroy());
  });
  server.on("connection", (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    asked,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
};
